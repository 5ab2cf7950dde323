// The left side: the model, and its form.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useRef, useState, type RefObject } from "react";
import { useLocation, useSearchParams } from "react-router";

import { problemOf } from "@/api/problem";
import { useShortcut } from "@/app/shortcuts";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { ModelForm } from "@/form/model-form";
import { readPrefill } from "@/form/prefill";
import { useLiveStore } from "@/live/hooks";
import { ModelCard } from "@/models/model-card";
import { oneModel } from "@/models/queries";
import { UnderWay } from "@/pages/create/under-way";
import { PrefillLoader } from "@/pages/create/prefill-loader";
import { carriedIn } from "@/pages/create/carried";
import { useChosenModel } from "@/pages/create/use-chosen-model";

/** Most visits choose no other model: its window comes when it is called for. */
const loadPicker = () => import("@/models/model-picker");
const ModelPicker = lazy(async () => ({ default: (await loadPicker()).ModelPicker }));

export function FormPanel() {
  const [params] = useSearchParams();
  const { name, error, choose } = useChosenModel();
  const prefill = readPrefill(params);
  const [picking, setPicking] = useState(false);
  const prompt = useRef("");
  const card = useRef<HTMLButtonElement>(null);
  const onPrompt = useCallback((text: string) => {
    prompt.current = text;
  }, []);
  const onChoose = (chosen: string) => choose(chosen, prompt.current);
  useShortcut({
    keys: "m",
    label: "Choose a model",
    group: "This page",
    run: () => setPicking(true),
  });
  return (
    <section
      aria-label="New job"
      className="grid scroll-slim content-start gap-6 rounded-2xl bg-card p-4 pb-0 shadow-xs lg:sticky lg:top-16 lg:max-h-[calc(100dvh-5rem)] lg:overflow-y-auto"
    >
      {error !== null && <Failure error={error} />}
      {name !== undefined && (
        <>
          <ChosenModelCard name={name} card={card} onPick={() => setPicking(true)} />
          {prefill === undefined ? (
            <Form key={name} reference={name} onPrompt={onPrompt} />
          ) : (
            <PrefillLoader key={JSON.stringify(prefill)} prefill={prefill} model={name} />
          )}
        </>
      )}
      {name === undefined && error === null && <FormSkeleton />}
      {picking && (
        <Suspense fallback={null}>
          <ModelPicker
            open
            onOpenChange={setPicking}
            chosen={name ?? ""}
            onChoose={onChoose}
            onClosed={() => card.current?.focus()}
          />
        </Suspense>
      )}
    </section>
  );
}

interface ChosenModelCardProps {
  name: string;
  card: RefObject<HTMLButtonElement | null>;
  onPick: () => void;
}

function ChosenModelCard({ name, card, onPick }: ChosenModelCardProps) {
  const { data: model, isError } = useQuery(oneModel(name));
  return (
    <ModelCard
      ref={card}
      model={model}
      isUnknown={isError}
      name={name}
      onClick={onPick}
      onPointerEnter={() => void loadPicker()}
      onFocus={() => void loadPicker()}
    />
  );
}

interface FormProps {
  reference: string;
  onPrompt: (text: string) => void;
}

function Form({ reference, onPrompt }: FormProps) {
  const { data: model, error, refetch } = useQuery(oneModel(reference));
  const store = useLiveStore();
  const { notice, carriedPrompt = "" } = carriedIn(useLocation().state);
  if (error !== null && model === undefined)
    return <Failure error={error} onRetry={() => void refetch()} />;
  if (model === undefined) return <FormSkeleton />;
  return (
    <ModelForm
      model={model}
      reference={reference}
      carriedPrompt={carriedPrompt}
      notice={notice}
      aside={<UnderWay />}
      onPrompt={onPrompt}
      onAccepted={(job) => store.absorb([job])}
    />
  );
}

function Failure({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  return (
    <div role="alert" className="grid justify-items-start gap-3 pb-4 text-sm">
      <p className="text-pretty text-destructive">{problemOf(error).message}</p>
      {onRetry && (
        <Button variant="secondary" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** As tall as most forms, so that nothing jumps. */
function FormSkeleton() {
  return (
    <div aria-hidden className="grid gap-6 pb-4">
      <Skeleton className="h-4 w-20" />
      <Skeleton className="h-28 rounded-xl" />
      <Skeleton className="h-36 rounded-xl" />
      <Skeleton className="h-11 rounded-xl" />
    </div>
  );
}

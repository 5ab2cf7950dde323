// The left side: the model, and its form.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useRef, useState, type RefObject } from "react";
import { useLocation, useSearchParams } from "react-router";

import { useShortcut } from "@/app/shortcuts";
import { Skeleton } from "@/components/ui/skeleton";
import { ModelForm } from "@/form/model-form";
import { readPrefill } from "@/form/prefill";
import { useLiveStore } from "@/live/hooks";
import { ModelCard } from "@/models/model-card";
import { oneModel } from "@/models/queries";
import { UnderWay } from "@/pages/create/under-way";
import { PrefillLoader } from "@/pages/create/prefill-loader";
import { carriedIn } from "@/pages/create/carried";
import { ModelFailure } from "@/pages/create/model-failure";
import { useChosenModel } from "@/pages/create/use-chosen-model";

/** Most visits choose no other model: its window comes when it is called for. */
const loadPicker = () => import("@/models/model-picker");
const ModelPicker = lazy(async () => ({ default: (await loadPicker()).ModelPicker }));

export function FormPanel() {
  const [params] = useSearchParams();
  const { name, error, retry, choose } = useChosenModel();
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
      className="grid scroll-slim content-start gap-6 rounded-2xl bg-card p-4 pb-0 shadow-xs lg:sticky lg:top-16 lg:max-h-[calc(100dvh-5rem)] lg:scroll-pt-4 lg:scroll-pb-30 lg:overflow-y-auto"
    >
      {error !== null && <ModelFailure error={error} onRetry={retry} />}
      {name !== undefined && (
        <>
          <ChosenModelCard name={name} card={card} onPick={() => setPicking(true)} />
          {prefill === undefined ? (
            <Form
              key={name}
              reference={name}
              onPrompt={onPrompt}
              onChoose={onChoose}
              onPick={() => setPicking(true)}
            />
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
  onChoose: (name: string) => void;
  onPick: () => void;
}

function Form({ reference, onPrompt, onChoose, onPick }: FormProps) {
  const { data: model, error, ...reading } = useQuery(oneModel(reference));
  const store = useLiveStore();
  const { notice, carriedPrompt = "" } = carriedIn(useLocation().state);
  // It is asked for a few times by itself: after the first, people are told why they wait.
  const trouble = error ?? (reading.failureCount > 1 ? reading.failureReason : null);
  if (trouble !== null && model === undefined)
    return (
      <ModelFailure
        error={trouble}
        onRetry={error === null ? undefined : () => void reading.refetch()}
        onChoose={onChoose}
        onPick={onPick}
      />
    );
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

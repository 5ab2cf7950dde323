// The form of one model: what it takes, drawn from its schema, and the button that asks for a job.
import { useEffect, useMemo, useRef, useState, type ReactNode, type SubmitEvent } from "react";

import { Fields } from "@/form/form-fields";
import { withFile } from "@/form/files/files-control";
import { UploadsContext } from "@/form/files/uploads-context";
import { useUploads } from "@/form/files/use-uploads";
import { FileCatcher } from "@/form/files/file-catcher";
import { formOf } from "@/form/form-model";
import { outputsOf, secondsOf } from "@/form/order";
import { ProblemSummary } from "@/form/problem-summary";
import { SubmitBar } from "@/form/submit-bar";
import { useModelForm } from "@/form/use-model-form";
import { useOrdering } from "@/form/use-ordering";
import { valueAt } from "@/form/values";
import type { Job } from "@/gen/mediagen/v1/job_pb";
import type { Model } from "@/gen/mediagen/v1/model_pb";

interface ModelFormProps {
  model: Model;
  /** As the job names it: with its version, where one was chosen. */
  reference: string;
  /** Taken where nothing was typed for this model yet. */
  carriedPrompt: string;
  /** Something to know first, from where the reader comes. */
  notice: string | undefined;
  /** What is said beside the price. */
  aside: ReactNode;
  onPrompt: (text: string) => void;
  onAccepted: (job: Job) => void;
}

export function ModelForm({
  model,
  reference,
  carriedPrompt,
  notice,
  aside,
  ...on
}: ModelFormProps) {
  const form = useMemo(() => formOf(model.inputSchema ?? {}), [model.inputSchema]);
  const state = useModelForm(reference, form, carriedPrompt);
  const [open, setOpen] = useState<Opened>({ more: false, options: false });
  const uploads = useUploads((name, uri) => {
    const field = form.byName.get(name);
    if (field?.kind === "files") state.update(name, (value) => withFile(field, value, uri));
  });
  const order = useOrdering({ reference, state, uploads, setOpen, onAccepted: on.onAccepted });
  useSubmitKey(order);
  useReported(valueAt(state.values, form.prompt?.name ?? ""), on.onPrompt);
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    order();
  };
  return (
    <UploadsContext value={uploads}>
      <FileCatcher form={form} onFiles={uploads.start}>
        {/* What is wrong is said by us, in one place and in our words. */}
        <form noValidate aria-label="New job" onSubmit={onSubmit} className="grid gap-6">
          {notice !== undefined && (
            <p role="status" className="rounded-lg bg-secondary px-3 py-2 text-sm text-pretty">
              {notice}
            </p>
          )}
          <Fields state={state} open={open} setOpen={setOpen} />
          <div
            data-slot="submit-bar"
            className="sticky bottom-0 z-10 -mx-1 grid gap-3 bg-card px-1 pt-1 pb-4 before:pointer-events-none before:absolute before:inset-x-0 before:-top-4 before:h-4 before:bg-linear-to-t before:from-card before:to-transparent max-sm:bottom-[calc(4rem+env(safe-area-inset-bottom))]"
          >
            <ProblemSummary problems={state.problems} form={form} />
            <SubmitBar
              model={model}
              aside={aside}
              outputs={outputsOf(form, state.values)}
              secondsOfOutput={secondsOf(form, state.values)}
            />
          </div>
        </form>
      </FileCatcher>
    </UploadsContext>
  );
}

export interface Opened {
  more: boolean;
  options: boolean;
}

/** Wherever the focus is, but in a dialog. */
function useSubmitKey(order: () => void): void {
  const latest = useRef(order);
  useEffect(() => {
    latest.current = order;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
      const inDialog = event.target instanceof Element && event.target.closest("[role=dialog]");
      if (inDialog || event.repeat) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

function useReported(value: unknown, report: (text: string) => void): void {
  useEffect(() => report(typeof value === "string" ? value : ""), [value, report]);
}

// Which draft does the form open with, when the URL says a job to take up, or a file to use?
import { EMPTY_DRAFT, loadDraft, type Draft } from "@/form/draft";
import type { FilesField, FormModel } from "@/form/field";
import { filesFields } from "@/form/files/file-catcher";
import { withFile } from "@/form/files/files-control";
import { formOf } from "@/form/form-model";
import { labelsText, NO_OPTIONS } from "@/form/job-options";
import { inputsOf, type Prefill } from "@/form/prefill";
import { taken, valueAt, withValue } from "@/form/values";
import { Priority, type Job } from "@/gen/mediagen/v1/job_pb";
import { secretsOf } from "@/jobs/secrets";
import type { Model } from "@/gen/mediagen/v1/model_pb";
import { secondsOf } from "@/models/price";

export interface Filled {
  form: FormModel;
  draft: Draft;
  /** What the reader should know of it. */
  notice: string | undefined;
}

/** The model that a job named, with the version where it named that. */
export function modelOf(job: Job): string | undefined {
  return job.request?.model;
}

export function filled(
  prefill: Prefill,
  reference: string,
  model: Model,
  job: Job | undefined,
): Filled {
  const form = formOf(model.inputSchema ?? {});
  if (prefill.kind === "input") return withInput(prefill, reference, form);
  const request = job?.request;
  if (job === undefined || request === undefined)
    return { form, draft: EMPTY_DRAFT, notice: undefined };
  const inputs = inputsOf(request, job.attempts, prefill.seed);
  const unknown = Object.keys(inputs).filter((name) => !form.byName.has(name));
  const minutes = secondsOf(request.timeout);
  const options = {
    labels: labelsText(request.labels),
    priority: request.priority === Priority.UNSPECIFIED ? NO_OPTIONS.priority : request.priority,
    // An hour is what it is without being said.
    timeoutMinutes: minutes === undefined || minutes === 3600 ? "" : String(minutes / 60),
  };
  return {
    form,
    draft: { values: taken(form, inputs), options },
    notice: noticeOf(form, unknown, secretsOf(request)),
  };
}

function noticeOf(
  form: FormModel,
  unknown: readonly string[],
  secrets: readonly string[],
): string | undefined {
  const typed = secrets.map((name) => form.byName.get(name)?.title ?? name);
  const notices = [
    ...(unknown.length > 0
      ? [`The model no longer takes ${unknown.join(", ")}: left out here.`]
      : []),
    ...(secrets.length > 0
      ? [`What is secret is told to nobody: type ${typed.join(", ")} again.`]
      : []),
  ];
  return notices.length > 0 ? notices.join(" ") : undefined;
}

function withInput(
  { reference: uri, to }: Extract<Prefill, { kind: "input" }>,
  reference: string,
  form: FormModel,
): Filled {
  const draft = loadDraft(reference);
  const field = targetOf(form, to);
  if (field === undefined)
    return { form, draft, notice: "This model takes no file. Choose another model to use yours." };
  const value = withFile(field, valueAt(draft.values, field.name), uri);
  return {
    form,
    draft: { ...draft, values: withValue(draft.values, field.name, value) },
    notice: undefined,
  };
}

function targetOf(form: FormModel, to: string | undefined): FilesField | undefined {
  const fields = filesFields(form);
  return fields.find(({ name }) => name === to) ?? fields[0];
}

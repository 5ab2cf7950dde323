// What does a filled form ask the service for, and how much of it is made?
import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";

import type { FormModel } from "@/form/field";
import { COUNTS } from "@/form/form-model";
import { labelsOf, timeoutOf, type JobOptions } from "@/form/job-options";
import type { Wanted } from "@/form/submissions";
import { requested, shown, valueAt, type Values } from "@/form/values";

export function orderOf(
  model: string,
  form: FormModel,
  values: Values,
  options: JobOptions,
): Wanted {
  const seconds = timeoutOf(options);
  return {
    model,
    ...requested(form, values),
    labels: labelsOf(options.labels),
    priority: options.priority,
    ...(seconds !== undefined && {
      timeout: create(DurationSchema, { seconds: BigInt(seconds) }),
    }),
  };
}

/** How many results are asked for. */
export function outputsOf(form: FormModel, values: Values): number {
  return numberAmong(COUNTS, form, values) ?? 1;
}

/** How many seconds each of them is to last, where that can be chosen. */
export function secondsOf(form: FormModel, values: Values): number | undefined {
  return numberAmong(["duration", "seconds", "num_seconds"], form, values);
}

function numberAmong(
  names: readonly string[],
  form: FormModel,
  values: Values,
): number | undefined {
  for (const name of names) {
    const field = form.byName.get(name);
    const value = field && Number(shown(field, values));
    if (value !== undefined && value > 0) return value;
  }
  return undefined;
}

export function hasSecret(form: FormModel, values: Values): boolean {
  return [...form.byName.values()].some(
    ({ name, secret }) => secret && valueAt(values, name) !== undefined,
  );
}

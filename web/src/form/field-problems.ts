// Which field does each of the server's violations belong to?
import type { Violation } from "@/api/problem";
import type { FormModel } from "@/form/field";
import { titleOf } from "@/form/property";

/** Fields of the form that are no inputs of the model. */
export const OWN_FIELDS = ["model", "labels", "priority", "timeout"] as const;
export type OwnField = (typeof OWN_FIELDS)[number];

export interface FieldProblem {
  /** The input, or one of OWN_FIELDS with "job." before it: models have inputs named "model". */
  name: string;
  /** Which item of a list. */
  index: number | undefined;
  /** A sentence without its subject: "must be one of 1:1, 16:9". */
  description: string;
}

export interface Problems {
  fields: readonly FieldProblem[];
  /** Those that no field is there for, as whole sentences. */
  others: readonly string[];
}

export const NO_PROBLEMS: Problems = { fields: [], others: [] };

const PATH = /^(?<first>[^.[\]]+)(?:\.(?<input>[^.[\]]+))?(?:\[(?<index>\d+)\])?/;

export function placed(violations: readonly Violation[], form: FormModel | undefined): Problems {
  const fields: FieldProblem[] = [];
  const others: string[] = [];
  for (const { field, description } of violations) {
    const place = placeOf(field, form);
    if (place === undefined) others.push(sentence(subjectOf(field), description));
    else fields.push({ ...place, description });
  }
  return { fields, others };
}

function placeOf(
  path: string,
  form: FormModel | undefined,
): Omit<FieldProblem, "description"> | undefined {
  const { first = "", input, index } = PATH.exec(path)?.groups ?? {};
  const position = index === undefined ? undefined : Number(index);
  if ((OWN_FIELDS as readonly string[]).includes(first))
    return { name: `job.${first}`, index: undefined };
  const name = first === "input" ? input : first;
  if (name !== undefined && form?.byName.has(name)) return { name, index: position };
  // The request's own rule on prompts is meant for whatever text the model takes.
  if (first === "prompt" && form?.prompt) return { name: form.prompt.name, index: undefined };
  return undefined;
}

function subjectOf(path: string): string {
  const name = path.replace(/^input\./, "");
  return name === "" || name === "input" ? "" : name;
}

function sentence(subject: string, description: string): string {
  return subject === "" ? capital(description) : `${subject}: ${description}`;
}

/** "Aspect ratio: must be one of …", for the summary. */
export function told({ name, index, description }: FieldProblem, form: FormModel): string {
  const title = form.byName.get(name)?.title ?? titleOf(name.replace(/^job\./, ""));
  return `${title}${index === undefined ? "" : ` ${index + 1}`}: ${description}`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Without those of a field that was touched since. */
export function withoutField(problems: Problems, name: string): Problems {
  const fields = problems.fields.filter((problem) => problem.name !== name);
  return fields.length === problems.fields.length ? problems : { ...problems, fields };
}

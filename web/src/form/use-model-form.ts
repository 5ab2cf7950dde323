// What has been put into the form of a model, and how is it changed?
import type { JsonValue } from "@bufbuild/protobuf";
import { useCallback, useEffect, useRef, useState } from "react";

import { loadDraft, saveDraft, type Draft } from "@/form/draft";
import type { FormModel } from "@/form/field";
import { NO_PROBLEMS, withoutField, type Problems } from "@/form/field-problems";
import type { JobOptions } from "@/form/job-options";
import { valueAt, withValue, type Values } from "@/form/values";

export type Change = (before: JsonValue | undefined) => JsonValue | undefined;

export interface ModelForm {
  form: FormModel;
  values: Values;
  options: JobOptions;
  problems: Problems;
  /** undefined: it is left to the model. */
  set: (name: string, value: JsonValue | undefined) => void;
  update: (name: string, change: Change) => void;
  setOptions: (options: JobOptions) => void;
  setProblems: (problems: Problems) => void;
}

/** Typing is written down when it pauses. */
const PAUSE_MS = 250;

export function useModelForm(model: string, form: FormModel, carriedPrompt: string): ModelForm {
  const [draft, setDraft] = useState<Draft>(() => opened(model, form, carriedPrompt));
  const [problems, setProblems] = useState<Problems>(NO_PROBLEMS);
  useKept(model, form, draft);

  const update = useCallback((name: string, change: Change) => {
    setDraft(({ values, options }) => ({
      values: withValue(values, name, change(valueAt(values, name))),
      options,
    }));
    setProblems((before) => withoutField(before, name));
  }, []);
  const set = useCallback(
    (name: string, value: JsonValue | undefined) => update(name, () => value),
    [update],
  );
  const setOptions = useCallback(
    (options: JobOptions) => setDraft(({ values }) => ({ values, options })),
    [],
  );
  return { form, ...draft, problems, set, update, setOptions, setProblems };
}

/** What was typed for this model; else the text that was typed for the one before. */
function opened(model: string, form: FormModel, carriedPrompt: string): Draft {
  const draft = loadDraft(model);
  const { prompt } = form;
  if (prompt === undefined || carriedPrompt === "" || valueAt(draft.values, prompt.name))
    return draft;
  return { ...draft, values: withValue(draft.values, prompt.name, carriedPrompt) };
}

/** Keeps the draft in the browser, at the latest when the page or the form goes away. */
function useKept(model: string, form: FormModel, draft: Draft): void {
  const unsaved = useRef<(() => void) | undefined>(undefined);
  useEffect(() => {
    const save = () => {
      unsaved.current = undefined;
      saveDraft(model, form, draft);
    };
    unsaved.current = save;
    const timer = setTimeout(save, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [model, form, draft]);
  useEffect(() => {
    const flush = () => unsaved.current?.();
    window.addEventListener("pagehide", flush);
    return () => {
      window.removeEventListener("pagehide", flush);
      flush();
    };
  }, []);
}

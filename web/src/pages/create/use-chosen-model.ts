// Which model is the form for? The URL says it; else the one that was used last; else a first one.
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useSearchParams } from "react-router";

import { lastModel, rememberModel } from "@/form/draft";
import { allModels } from "@/models/queries";
import { isReferenceToModel } from "@/models/search";
import type { Carried } from "@/pages/create/carried";

/** Where it is to be had, something quick and cheap comes first. */
const FIRST = "black-forest-labs/flux-schnell";

export interface ChosenModel {
  /** "owner/name" or "owner/name:version"; undefined as long as no model is known. */
  name: string | undefined;
  /** Why there is none. */
  error: Error | null;
  /** Asks for the models again. */
  retry: () => void;
  /** Also says what was typed for the one before. */
  choose: (name: string, prompt: string) => void;
}

export function useChosenModel(): ChosenModel {
  const [params, setParams] = useSearchParams();
  const said = params.get("model") ?? "";
  const asked = isReferenceToModel(said) ? said : lastModel();
  const { data: models, error, refetch } = useQuery({ ...allModels, enabled: asked === undefined });
  const name = asked ?? (models?.find((model) => model.name === FIRST) ?? models?.[0])?.name;
  useEffect(() => {
    if (name !== undefined && name === said) rememberModel(name);
  }, [name, said]);
  const choose = (chosen: string, prompt: string) =>
    setParams({ model: chosen }, { state: { carriedPrompt: prompt } satisfies Carried });
  const retry = () => void refetch();
  return { name, error: name === undefined ? error : null, retry, choose };
}

// Which models are there, and what does one take?
import { queryOptions } from "@tanstack/react-query";

import { bounded, models } from "@/api/clients";
import { isTransient } from "@/api/problem";
import type { Model } from "@/gen/mediagen/v1/model_pb";

const FRESH_MS = 60_000;
const PAGE = 200;
/** Pages of 200: more models than anyone reads through. */
const MOST_PAGES = 10;
/** A model that is asked for the first time is looked up at the provider meanwhile. */
const LOOKUP_TRIES = 6;

/** All models that are allowed, by name, without their schemas. */
export const allModels = queryOptions({
  queryKey: ["models"],
  staleTime: FRESH_MS,
  queryFn: async ({ signal }): Promise<Model[]> => {
    const all: Model[] = [];
    let pageToken = "";
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const answer = await models.listModels({ pageSize: PAGE, pageToken }, bounded(signal));
      all.push(...answer.models);
      pageToken = answer.nextPageToken;
      if (pageToken === "") break;
    }
    return all;
  },
});

/** One model with its schemas, as "owner/name" or "owner/name:version". */
export function oneModel(reference: string) {
  const [name = "", version = ""] = reference.split(":");
  return queryOptions({
    queryKey: ["model", name, version],
    staleTime: FRESH_MS,
    retry: (failures, error) => failures < LOOKUP_TRIES && isTransient(error),
    queryFn: async ({ signal }): Promise<Model> => {
      const { model } = await models.getModel({ name, version }, bounded(signal));
      if (model === undefined) throw new Error("the answer has no model");
      return model;
    },
  });
}

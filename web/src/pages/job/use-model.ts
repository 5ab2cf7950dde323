// What is known of the model of a job?
import { useQuery } from "@tanstack/react-query";

import type { Job } from "@/gen/mediagen/v1/job_pb";
import type { Model } from "@/gen/mediagen/v1/model_pb";
import { oneModel } from "@/models/queries";

/** With its schemas. undefined while it is read, and where it is not allowed any more. */
export function useModel({ request }: Job): Model | undefined {
  const { data } = useQuery({ ...oneModel(request?.model ?? ""), enabled: request !== undefined });
  return data;
}

/** Whether a seed can be given to it; undefined where its schema is not known. */
export function takesSeed(model: Model | undefined): boolean | undefined {
  const properties = model?.inputSchema?.["properties"];
  if (properties === null || typeof properties !== "object") return undefined;
  return "seed" in properties;
}

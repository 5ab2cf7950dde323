// What will a job make, before it has made anything? The catalogue says it of its model.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import type { Job } from "@/gen/mediagen/v1/job_pb";
import { Model_OutputKind } from "@/gen/mediagen/v1/model_pb";
import { allModels } from "@/models/queries";

export type KindOf = (job: Job) => Model_OutputKind;

interface OutputKinds {
  kindOf: KindOf;
  /** The catalogue has been read, or can not be. */
  settled: boolean;
}

export function useOutputKinds(): OutputKinds {
  const { data, isPending } = useQuery(allModels);
  const kindOf = useMemo(() => {
    const kinds = new Map(data?.map(({ name, outputKind }) => [name, outputKind]));
    return ({ request }: Job): Model_OutputKind =>
      kinds.get(request?.model.split(":")[0] ?? "") ?? Model_OutputKind.UNSPECIFIED;
  }, [data]);
  return { kindOf, settled: !isPending };
}

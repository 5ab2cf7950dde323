// Where the newest jobs are below the form: how many of them are under way, and the way there.
import { ArrowDown } from "lucide-react";

import { useSubmissions } from "@/form/submissions";
import { useLive } from "@/live/hooks";
import { isFinal } from "@/live/job-order";

export function UnderWay() {
  const open = useLive(({ order }) => order.filter((job) => !isFinal(job)).length);
  const count = open + useSubmissions().length;
  if (count === 0) return null;
  return (
    <a
      href="#newest"
      className="inline-flex items-center gap-1 font-medium text-foreground lg:hidden"
    >
      {count} under way
      <ArrowDown aria-hidden className="size-3.5" />
    </a>
  );
}

// A few jobs by their ids.
import { Link } from "react-router";

import { jobPath } from "@/api/urls";

export function JobLinks({ jobIds }: { jobIds: readonly string[] }) {
  return (
    <ul className="flex max-h-28 scroll-slim flex-wrap gap-x-3 gap-y-1 overflow-y-auto">
      {jobIds.map((jobId) => (
        <li key={jobId}>
          <JobLink jobId={jobId} />
        </li>
      ))}
    </ul>
  );
}

export function JobLink({ jobId }: { jobId: string }) {
  return (
    <Link
      to={jobPath(jobId)}
      className="rounded-sm font-mono text-xs text-primary underline-offset-4 hover:underline"
    >
      {jobId}
    </Link>
  );
}

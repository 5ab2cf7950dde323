// What would become of the dead letters that were chosen?
import { TriangleAlert } from "lucide-react";
import { useId } from "react";

import { Alert, AlertDescription, AlertTitle } from "@/components/ui/alert";
import { Checkbox } from "@/components/ui/checkbox";
import { Label } from "@/components/ui/label";
import type { DecisionKind, Plan } from "@/pages/operations/dead-letters/decision";
import { JobLinks } from "@/pages/operations/dead-letters/job-links";

interface PlanViewProps {
  kind: DecisionKind;
  plan: Plan;
  force: boolean;
  onForce: (force: boolean) => void;
}

export function PlanView({ force, kind, onForce, plan }: PlanViewProps) {
  const { free, mayPayTwice, refused } = plan;
  const id = useId();
  return (
    <div className="grid gap-4 text-sm">
      {free.length > 0 && (
        <div className="grid gap-1.5">
          <p>
            <strong>{free.length}</strong>{" "}
            {kind === "redrive"
              ? "can be made again. Nothing was paid for so far; each is paid for once when it succeeds."
              : "can be discarded."}
          </p>
          <JobLinks jobIds={free} />
        </div>
      )}
      {mayPayTwice.length > 0 && (
        <Alert variant="warning">
          <TriangleAlert aria-hidden />
          <AlertTitle>{mayPayTwice.length} may be paid for twice</AlertTitle>
          <AlertDescription>
            <p>
              An earlier call of theirs may have been billed. Made again, they are billed again.
            </p>
            <JobLinks jobIds={mayPayTwice} />
            <div className="mt-2 flex items-center gap-2.5">
              <Checkbox
                id={id}
                checked={force}
                onCheckedChange={(checked) => onForce(checked === true)}
              />
              <Label htmlFor={id}>Make them again, and pay again if need be</Label>
            </div>
          </AlertDescription>
        </Alert>
      )}
      {refused.length > 0 && (
        <div className="grid gap-1.5">
          <p className="text-muted-foreground">
            {refused.length === 1
              ? "For one nothing can be done:"
              : `For ${refused.length} nothing can be done:`}
          </p>
          <ul className="grid max-h-40 scroll-slim gap-1 overflow-y-auto text-muted-foreground">
            {refused.map(({ jobId, message }) => (
              <li key={jobId} className="break-words">
                <span className="font-mono text-xs">{jobId}</span>: {message}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

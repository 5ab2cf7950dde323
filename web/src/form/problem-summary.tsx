// What keeps the job from being asked for: all of it, read out at once, each with the way to it.
import { CircleAlert } from "lucide-react";

import { Alert, AlertDescription, AlertTitle } from "@/components/ui/alert";
import type { FormModel } from "@/form/field";
import { told, type Problems } from "@/form/field-problems";
import { focusField } from "@/form/focus-field";

export function ProblemSummary({ problems, form }: { problems: Problems; form: FormModel }) {
  const { fields, others } = problems;
  if (fields.length + others.length === 0) return null;
  return (
    <Alert variant="destructive" role="alert" aria-label="What is wrong with the request">
      <CircleAlert aria-hidden />
      <AlertTitle>{titleFor(problems)}</AlertTitle>
      <AlertDescription>
        <ul className="grid gap-1">
          {others.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
          {fields.map((problem) => (
            <li key={`${problem.name}${problem.index ?? ""}${problem.description}`}>
              <button
                type="button"
                className="text-left underline underline-offset-2"
                onClick={() => focusField(problem.name)}
              >
                {told(problem, form)}
              </button>
            </li>
          ))}
        </ul>
      </AlertDescription>
    </Alert>
  );
}

function titleFor({ fields, others }: Problems): string {
  if (fields.length === 0) return "This did not work";
  const count = fields.length + others.length;
  return count === 1 ? "One thing needs another look" : `${count} things need another look`;
}

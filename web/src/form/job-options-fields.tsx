// Fields for what can be said of a job beside its inputs.
import {
  Select,
  SelectContent,
  SelectItem,
  SelectTrigger,
  SelectValue,
} from "@/components/ui/select";
import { Input } from "@/components/ui/input";
import { Textarea } from "@/components/ui/textarea";
import type { FieldProblem } from "@/form/field-problems";
import { FieldFrame } from "@/form/fields/field-frame";
import type { ModelForm } from "@/form/use-model-form";
import { Priority } from "@/gen/mediagen/v1/job_pb";

const PRIORITIES = [
  [Priority.HIGH, "High: 15 minutes ahead"],
  [Priority.NORMAL, "Normal: first in, first out"],
  [Priority.LOW, "Low: 15 minutes behind"],
] as const;

export function JobOptionsFields({ state }: { state: ModelForm }) {
  const { options, setOptions, problems } = state;
  const of = (name: string): FieldProblem[] =>
    problems.fields.filter((problem) => problem.name === `job.${name}`);
  return (
    <>
      <FieldFrame name="job.priority" title="Priority" problems={of("priority")}>
        {(ties) => (
          <Select
            value={String(options.priority)}
            onValueChange={(value) => setOptions({ ...options, priority: priorityOf(value) })}
          >
            <SelectTrigger {...ties} className="w-full">
              <SelectValue />
            </SelectTrigger>
            <SelectContent>
              {PRIORITIES.map(([priority, words]) => (
                <SelectItem key={priority} value={String(priority)}>
                  {words}
                </SelectItem>
              ))}
            </SelectContent>
          </Select>
        )}
      </FieldFrame>
      <FieldFrame
        name="job.timeout"
        title="Time limit in minutes"
        description="For the whole job, waiting included. An hour if empty."
        problems={of("timeout")}
      >
        {(ties) => (
          <Input
            {...ties}
            type="number"
            inputMode="decimal"
            min={0.2}
            max={1440}
            step="any"
            placeholder="60"
            value={options.timeoutMinutes}
            onChange={({ target }) => setOptions({ ...options, timeoutMinutes: target.value })}
          />
        )}
      </FieldFrame>
      <FieldFrame
        name="job.labels"
        title="Labels"
        description="Your own words to find the job by: key=value, one a line."
        problems={of("labels")}
      >
        {(ties) => (
          <Textarea
            {...ties}
            spellCheck={false}
            placeholder="project=autumn"
            className="font-mono text-[0.8125rem] sm:text-[0.8125rem]"
            value={options.labels}
            onChange={({ target }) => setOptions({ ...options, labels: target.value })}
          />
        )}
      </FieldFrame>
    </>
  );
}

function priorityOf(value: string): Priority {
  return PRIORITIES.find(([priority]) => String(priority) === value)?.[0] ?? Priority.NORMAL;
}

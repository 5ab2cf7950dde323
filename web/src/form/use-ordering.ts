// What happens when the reader asks for a job? Nothing is locked: the next one can be asked for.
import { useEffect, useRef, type Dispatch, type SetStateAction } from "react";

import type { Problem, Violation } from "@/api/problem";
import { NO_PROBLEMS, placed, type Problems } from "@/form/field-problems";
import type { FormModel } from "@/form/field";
import type { Uploads } from "@/form/files/use-uploads";
import { focusField } from "@/form/focus-field";
import { wrongWithOptions } from "@/form/job-options";
import type { Opened } from "@/form/model-form";
import { hasSecret, orderOf } from "@/form/order";
import { submit } from "@/form/submissions";
import type { ModelForm } from "@/form/use-model-form";
import { missing } from "@/form/values";
import type { Job } from "@/gen/mediagen/v1/job_pb";

interface Ordering {
  reference: string;
  state: ModelForm;
  uploads: Uploads;
  setOpen: Dispatch<SetStateAction<Opened>>;
  onAccepted: (job: Job) => void;
}

export function useOrdering({ reference, state, uploads, setOpen, onAccepted }: Ordering) {
  const { form, values, options, problems, setProblems } = state;
  const here = useIsHere();
  useFocusOnProblems(problems);

  const show = (wrong: Problems) => {
    setOpen((before) => ({
      more: before.more || inMore(wrong, form),
      options: before.options || inOptions(wrong),
    }));
    setProblems(wrong);
  };
  const showRefusal = (problem: Problem): boolean => {
    if (here.current) show(problemsOf(problem, form));
    return here.current;
  };
  return (): void => {
    const found = [...missing(form, values), ...wrongWithOptions(options), ...unfinished(uploads)];
    if (found.length > 0) {
      show(placed(found, form));
      return;
    }
    setProblems(NO_PROBLEMS);
    const wanted = orderOf(reference, form, values, options);
    void submit(wanted, { secret: hasSecret(form, values), showRefusal }).then((job) => {
      if (job !== undefined) onAccepted(job);
    });
  };
}

function problemsOf({ violations, message }: Problem, form: FormModel): Problems {
  return violations.length > 0 ? placed(violations, form) : { fields: [], others: [message] };
}

function unfinished({ running }: Uploads): Violation[] {
  return running.map(({ field, problem }) => ({
    field: `input.${field}`,
    description:
      problem === undefined ? "is still being uploaded" : "has a file that did not arrive",
  }));
}

function inMore({ fields }: Problems, { more }: FormModel): boolean {
  return more.some((field) => {
    const names = field.kind === "size" ? [field.width.name, field.height.name] : [field.name];
    return fields.some(({ name }) => names.includes(name));
  });
}

function inOptions({ fields }: Problems): boolean {
  return fields.some(({ name }) => name.startsWith("job.") && name !== "job.model");
}

/** The first field that is wrong gets the focus, once it can be seen. */
function useFocusOnProblems(problems: Problems): void {
  const last = useRef(problems);
  useEffect(() => {
    // Problems that are mended one by one move no focus.
    const fewer = problems.fields.length < last.current.fields.length;
    last.current = problems;
    const [first] = problems.fields;
    if (first !== undefined && !fewer) focusField(first.name);
  }, [problems]);
}

function useIsHere() {
  const here = useRef(false);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  return here;
}

// One thing that has happened, in words.
import type { ReactNode } from "react";

import { sizeText } from "@/form/files/tile";
import { Attempt_State as State, type Attempt } from "@/gen/mediagen/v1/attempt_pb";
import { exactly } from "@/jobs/spans";
import { stateWord } from "@/jobs/words";
import { AttemptFacts } from "@/pages/job/attempt-facts";
import type { Entry } from "@/pages/job/timeline";
import { attemptTitle, stageTitle } from "@/pages/job/words";

export function EntryView({ entry }: { entry: Entry }) {
  switch (entry.kind) {
    case "accepted":
      return <Line title="Accepted" />;
    case "taken":
      return <Line title="Taken by a worker" />;
    case "permitted":
      return <Permitted attempt={entry.attempt} />;
    case "sent":
      return <Line title={`Attempt ${entry.attempt.number} is at the provider`} />;
    case "stage":
      return <Line title={stageTitle(entry.stage)} />;
    case "attempt-ended":
      return (
        <Line title={`Attempt ${entry.attempt.number}: ${attemptTitle(entry.attempt.state)}`}>
          <AttemptFacts attempt={entry.attempt} />
        </Line>
      );
    case "retry":
      return <Line title="It is tried again" detail={`due ${exactly(entry.dueMs)}`} />;
    case "saved":
      return (
        <Line
          title={`Result ${entry.artifact.index + 1} is stored`}
          detail={`${entry.artifact.mediaType}, ${sizeText(entry.artifact.sizeBytes)}`}
        />
      );
    case "cancel-asked":
      return <Line title="A cancel was asked for" />;
    case "ended":
      return <Line title={stateWord(entry.state)} />;
  }
}

const GOES_ON: ReadonlySet<State> = new Set([State.SUBMITTING, State.SUBMITTED]);

/** Of one that has not ended, all that there is to say yet. */
function Permitted({ attempt }: { attempt: Attempt }) {
  const title = `Attempt ${attempt.number} begins`;
  if (attempt.endTime) return <Line title={title} />;
  return (
    <Line title={GOES_ON.has(attempt.state) ? title : `${title}: ${attemptTitle(attempt.state)}`}>
      <AttemptFacts attempt={attempt} />
    </Line>
  );
}

interface LineProps {
  title: string;
  /** Beside it. */
  detail?: string;
  /** Below it. */
  children?: ReactNode;
}

function Line({ children, detail, title }: LineProps) {
  return (
    <div className="grid gap-1.5">
      <p>
        <span className="font-medium">{title}</span>
        {detail !== undefined && <span className="text-muted-foreground"> · {detail}</span>}
      </p>
      {children}
    </div>
  );
}

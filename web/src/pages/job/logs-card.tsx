// What the model printed last.
import { useEffect, useRef } from "react";

import { CopyButton } from "@/pages/job/copy-button";
import { mayBeCut } from "@/pages/job/log-tail";
import { SectionCard } from "@/pages/job/section-card";

/** So near to the end one means to follow it. */
const NEAR_PX = 24;

export function LogsCard({ text }: { text: string }) {
  const box = useRef<HTMLPreElement>(null);
  // It opens at its end, and stays there as more comes, until the reader scrolls up.
  const follows = useRef(true);
  const lines = text.split("\n").length;
  useEffect(() => {
    const shown = box.current;
    if (follows.current && shown) shown.scrollTop = shown.scrollHeight;
  }, [text]);
  const onScroll = (): void => {
    const shown = box.current;
    if (shown)
      follows.current = shown.scrollHeight - shown.scrollTop - shown.clientHeight < NEAR_PX;
  };
  return (
    <SectionCard
      title="Log"
      aside={
        <CopyButton text={text} aria-label="Copy the log">
          Copy
        </CopyButton>
      }
    >
      {mayBeCut(text) && (
        <p className="-mt-2 text-xs text-muted-foreground">
          {lines === 1 ? "The end of its last line" : `The last ${lines} lines`}: of what a model
          prints, the last 1,024 characters are kept.
        </p>
      )}
      <pre
        ref={box}
        onScroll={onScroll}
        // It scrolls, so the keyboard must get there.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label="The end of the model's log"
        className="max-h-64 scroll-slim overflow-auto rounded-lg bg-muted p-4 font-mono text-xs leading-relaxed break-words whitespace-pre-wrap"
      >
        {text}
      </pre>
    </SectionCard>
  );
}

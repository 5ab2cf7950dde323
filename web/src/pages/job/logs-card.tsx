// What the model printed last.
import { useEffect, useRef } from "react";

import { CopyButton } from "@/pages/job/copy-button";
import { SectionCard } from "@/pages/job/section-card";

export function LogsCard({ live, text }: { text: string; live: boolean }) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const shown = box.current;
    if (live && shown) shown.scrollTop = shown.scrollHeight;
  }, [live, text]);
  return (
    <SectionCard
      title="Log"
      aside={
        <CopyButton text={text} aria-label="Copy the log">
          Copy
        </CopyButton>
      }
    >
      <pre
        ref={box}
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

// The same job from a shell or a program, to be copied.
import { API_ORIGIN } from "@/api/origin";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import type { JobRequest } from "@/gen/mediagen/v1/job_pb";
import { asBufCurl, asCurl, asPython } from "@/pages/job/commands";
import { CopyButton } from "@/pages/job/copy-button";
import { SectionCard } from "@/pages/job/section-card";

const WAYS = [
  { id: "curl", name: "curl", write: asCurl },
  { id: "buf", name: "buf curl", write: asBufCurl },
  { id: "python", name: "Python", write: asPython },
] as const;

export function CommandsCard({ request }: { request: JobRequest }) {
  return (
    <SectionCard title="As a command">
      <Tabs defaultValue={WAYS[0].id} className="min-w-0 gap-3">
        <TabsList aria-label="As a command">
          {WAYS.map(({ id, name }) => (
            <TabsTrigger key={id} value={id}>
              {name}
            </TabsTrigger>
          ))}
        </TabsList>
        {WAYS.map(({ id, name, write }) => (
          <TabsContent key={id} value={id} className="min-w-0">
            <Code name={name} text={write(request, API_ORIGIN)} />
          </TabsContent>
        ))}
      </Tabs>
    </SectionCard>
  );
}

function Code({ name, text }: { name: string; text: string }) {
  return (
    <div className="relative">
      <CopyButton
        text={text}
        variant="secondary"
        size="icon-sm"
        className="absolute top-2 right-2"
        aria-label={`Copy as ${name}`}
      />
      <pre
        // It scrolls, so the keyboard must get there.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label={`As ${name}`}
        className="max-h-96 scroll-slim overflow-auto rounded-lg bg-muted p-4 pr-12 font-mono text-xs leading-relaxed"
      >
        <code>{text}</code>
      </pre>
    </div>
  );
}

// A page that broke: what can be said of it, and how to go on.
import { PageMessage } from "@/app/page-message";
import { usePageTitle } from "@/app/page-title";
import { Button } from "@/components/ui/button";

export function Broken({ error }: { error: unknown }) {
  usePageTitle("Something broke");
  return (
    <PageMessage
      title="Something broke on this page"
      actions={<Button onClick={() => window.location.reload()}>Load it again</Button>}
    >
      <p>Your jobs go on; nothing of them is lost.</p>
      <p className="mt-3 font-mono text-xs break-words">
        {error instanceof Error ? error.message : String(error)}
      </p>
    </PageMessage>
  );
}

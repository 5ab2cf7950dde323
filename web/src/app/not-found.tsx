// A URL that leads nowhere.
import { Link } from "react-router";

import { PageMessage } from "@/app/page-message";
import { usePageTitle } from "@/app/page-title";
import { Button } from "@/components/ui/button";

export function NotFound() {
  usePageTitle("Not found");
  return (
    <PageMessage
      title="There is nothing here"
      actions={
        <>
          <Button asChild>
            <Link to="/">Create something</Link>
          </Button>
          <Button asChild variant="secondary">
            <Link to="/gallery">Open the gallery</Link>
          </Button>
        </>
      }
    >
      The address may be mistyped, or what was here is gone.
    </PageMessage>
  );
}

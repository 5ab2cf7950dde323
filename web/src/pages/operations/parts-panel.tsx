// Is the service healthy, and if not, which part of it?
import { CircleCheck, CircleX } from "lucide-react";

import { Badge } from "@/components/ui/badge";
import type { ComponentHealth, GetHealthResponse } from "@/gen/mediagen/v1/generation_service_pb";
import { Panel } from "@/pages/operations/panel";

export function PartsPanel({ health }: { health: GetHealthResponse }) {
  const serving = health.status === "SERVING";
  return (
    <Panel
      title="Health"
      aside={
        <Badge variant={serving ? "success" : "destructive"}>
          {serving ? "Takes jobs" : "Takes no jobs"}
        </Badge>
      }
    >
      <ul className="grid gap-2.5 text-sm">
        {health.components.map((component) => (
          <Part key={component.name} component={component} />
        ))}
      </ul>
    </Panel>
  );
}

function Part({ component: { message, name, status } }: { component: ComponentHealth }) {
  const serving = status === "SERVING";
  const Icon = serving ? CircleCheck : CircleX;
  return (
    <li className="grid grid-cols-[auto_1fr] gap-x-2.5">
      <Icon
        className={
          serving
            ? "size-4 translate-y-0.5 text-success"
            : "size-4 translate-y-0.5 text-destructive"
        }
        role="img"
        aria-label={serving ? "Serving" : "Not serving"}
      />
      <span className="font-medium first-letter:uppercase">{name.replaceAll("_", " ")}</span>
      {message !== "" && (
        <span className="col-start-2 text-pretty break-words text-muted-foreground">{message}</span>
      )}
    </li>
  );
}

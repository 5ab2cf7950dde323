// Is what jobs make real? Said all the time where a simulator stands in for the provider.
import { useQuery } from "@tanstack/react-query";
import { FlaskConical } from "lucide-react";

import { healthQuery } from "@/api/health";
import { Button } from "@/components/ui/button";
import type { GetHealthResponse } from "@/gen/mediagen/v1/generation_service_pb";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";

const REFRESH_MS = 30_000;
/** While there is no worker that could tell: the service may just have started. */
const SOON_MS = 5_000;
const MEANING = ": nothing is paid, pictures are drawn";

export function SimulatorBadge() {
  const { data: simulated = false } = useQuery({
    ...healthQuery,
    select: (health) => health.simulated,
    refetchInterval: ({ state }) => (state.data && hasWorkers(state.data) ? REFRESH_MS : SOON_MS),
  });
  if (!simulated) return null;
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button
          variant="ghost"
          size="sm"
          aria-label={`Simulator${MEANING}`}
          className="rounded-full bg-warning/12 text-warning hover:bg-warning/20 hover:text-warning"
        >
          <FlaskConical aria-hidden />
          <span>
            Simulator
            <span className="font-normal max-lg:hidden">{MEANING}</span>
          </span>
        </Button>
      </PopoverTrigger>
      <PopoverContent align="end" className="text-sm">
        <p className="font-medium">A simulator stands in for Replicate</p>
        <p className="mt-1 text-pretty text-muted-foreground">
          Nothing is paid, whatever price is shown, and what jobs make is drawn by it. Started with
          a <code className="text-xs">REPLICATE_API_TOKEN</code>, the service makes the real thing.
        </p>
      </PopoverContent>
    </Popover>
  );
}

function hasWorkers({ components }: GetHealthResponse): boolean {
  return components.some(({ name, status }) => name === "workers" && status === "SERVING");
}

// Does the provider take our calls, and how many a minute?
import { Badge } from "@/components/ui/badge";
import type { ProviderOverview } from "@/gen/mediagen/v1/operator_service_pb";
import { Nothing, Panel } from "@/pages/operations/panel";
import { clockTime, count } from "@/pages/operations/words";

export function ProvidersPanel({ providers }: { providers: readonly ProviderOverview[] }) {
  return (
    <Panel title="Provider">
      {providers.length === 0 && <Nothing>The provider was not called yet.</Nothing>}
      {providers.map((provider) => (
        <Account key={provider.account} provider={provider} />
      ))}
    </Panel>
  );
}

function Account({ provider }: { provider: ProviderOverview }) {
  return (
    <div className="grid gap-3">
      <div className="flex items-center justify-between gap-3 text-sm">
        <span className="truncate font-mono text-xs">{provider.account}</span>
        <Badge variant={provider.open ? "success" : "destructive"}>
          {provider.open ? "Open" : "Shut"}
        </Badge>
      </div>
      {!provider.open && (
        <p className="text-sm text-pretty">
          {provider.message}
          {provider.shutUntil && ` The next call is tried at ${clockTime(provider.shutUntil)}.`}
        </p>
      )}
      <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-2 text-sm [&>dd]:text-right">
        <dt className="text-muted-foreground">Calls a minute, at most now</dt>
        <dd className="tabular-nums">{rateOf(provider)}</dd>
        <dt className="text-muted-foreground">Told to slow down (429)</dt>
        <dd className="tabular-nums">{timesText(provider.throttledCount)}</dd>
        {provider.throttleTime && (
          <>
            <dt className="text-muted-foreground">The last time</dt>
            <dd className="tabular-nums">{clockTime(provider.throttleTime)}</dd>
          </>
        )}
      </dl>
    </div>
  );
}

function rateOf({ createsPerMinute, createsPerMinuteLimit }: ProviderOverview): string {
  if (createsPerMinute === 0) return "no limit";
  const now = count(Math.round(createsPerMinute));
  const limited = createsPerMinuteLimit > 0 && createsPerMinute < createsPerMinuteLimit;
  return limited ? `${now} of ${count(Math.round(createsPerMinuteLimit))}` : now;
}

function timesText(times: number): string {
  if (times < 2) return times === 0 ? "never" : "once";
  return `${count(times)} times`;
}

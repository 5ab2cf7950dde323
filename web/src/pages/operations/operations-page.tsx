// What is going on in the service, how did it go, and what is to be decided?
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";

import { problemOf } from "@/api/problem";
import { usePageTitle } from "@/app/page-title";
import { Alert, AlertDescription, AlertTitle } from "@/components/ui/alert";
import { Skeleton } from "@/components/ui/skeleton";
import { ChartsPlaceholder, ChartsSection } from "@/pages/operations/charts-section";
import { DeadLettersPanel } from "@/pages/operations/dead-letters/dead-letters-panel";
import { FailuresPanel } from "@/pages/operations/failures-panel";
import { ModelsPanel } from "@/pages/operations/models-panel";
import { PartsPanel } from "@/pages/operations/parts-panel";
import { ProvidersPanel } from "@/pages/operations/providers-panel";
import { overviewQuery, partsQuery, statisticsQuery } from "@/pages/operations/queries";
import { NowTiles, TilesPlaceholder, WindowTiles } from "@/pages/operations/tiles";
import { WindowSwitch } from "@/pages/operations/window-switch";
import { useWindow } from "@/pages/operations/windows";
import { WorkersPanel } from "@/pages/operations/workers-panel";

export function OperationsPage() {
  usePageTitle("Operations");
  const overview = useQuery(overviewQuery);
  const health = useQuery(partsQuery);
  const error = overview.error ?? health.error;
  return (
    <div className="mx-auto grid w-full max-w-screen-2xl grid-cols-1 gap-6 px-4 py-6 sm:px-6">
      <h1 className="text-xl font-semibold tracking-tight">Operations</h1>
      {error && <Trouble error={error} old={overview.data !== undefined} />}
      <section aria-label="Now">
        {overview.data ? (
          <NowTiles overview={overview.data} readMs={overview.dataUpdatedAt} />
        ) : (
          <TilesPlaceholder />
        )}
      </section>
      <Statistics />
      <div className="grid items-start gap-4 xl:grid-cols-[1.6fr_1fr]">
        <div className="grid min-w-0 gap-4">
          {overview.data ? (
            <>
              <WorkersPanel workers={overview.data.workers} readMs={overview.dataUpdatedAt} />
              <ProvidersPanel providers={overview.data.providers} />
            </>
          ) : (
            <Skeleton className="h-80 rounded-xl" />
          )}
        </div>
        {health.data ? (
          <PartsPanel health={health.data} />
        ) : (
          <Skeleton className="h-80 rounded-xl" />
        )}
      </div>
      <DeadLettersPanel />
    </div>
  );
}

function Statistics() {
  const [window, chooseWindow] = useWindow();
  const id = useId();
  const { data, error } = useQuery(statisticsQuery(window));
  return (
    <section aria-labelledby={id} className="grid grid-cols-1 gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 id={id} className="font-semibold">
          What happened {window.words}
        </h2>
        <WindowSwitch chosen={window} onChoose={chooseWindow} />
      </div>
      {error && <Trouble error={error} old={data !== undefined} />}
      {data ? <WindowTiles statistics={data} /> : <TilesPlaceholder />}
      {data ? <ChartsSection statistics={data} /> : <ChartsPlaceholder />}
      {data && (
        <div className="grid items-start gap-4 xl:grid-cols-[1.6fr_1fr]">
          <ModelsPanel models={data.models} words={window.words} />
          <FailuresPanel failures={data.failures} words={window.words} />
        </div>
      )}
    </section>
  );
}

function Trouble({ error, old }: { error: Error; old: boolean }) {
  return (
    <Alert variant="destructive" role="alert">
      <AlertTitle>{old ? "These numbers are old" : "There are no numbers"}</AlertTitle>
      <AlertDescription>{problemOf(error).message} It is asked again by itself.</AlertDescription>
    </Alert>
  );
}

// The jobs as they change, for all pages: one stream for the whole tab.
import { createContext, useEffect, useState, type ReactNode } from "react";

import { generation } from "@/api/clients";

import { ConnectionState } from "@/live/connection";
import { Feed, type JobCalls } from "@/live/feed";
import { LiveStore } from "@/live/live-store";

export interface Live {
  store: LiveStore;
  connection: ConnectionState;
}

export const LiveContext = createContext<Live | null>(null);

interface LiveProviderProps {
  children: ReactNode;
  /** Who is asked; a test has its own. */
  calls?: JobCalls;
}

export function LiveProvider({ children, calls = generation }: LiveProviderProps) {
  const [live] = useState<Live>(() => ({
    store: new LiveStore(),
    connection: new ConnectionState(),
  }));
  useEffect(() => new Feed(calls, live.store, live.connection).start(), [calls, live]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

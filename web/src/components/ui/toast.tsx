// A word about what has just happened, for a few seconds: toast("Copied"), toast.error("…").
//
// Read out politely, and kept while the pointer or the focus is on it. Nothing may be said here
// alone that must not be missed.
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";

import { Button } from "@/components/ui/button";
import { FLOATING } from "@/components/ui/floating";
import { cn } from "@/lib/cn";

export interface ToastOptions {
  description?: string;
  action?: { label: string; onClick: () => void };
  durationMs?: number;
}

interface Message extends ToastOptions {
  id: number;
  kind: "plain" | "success" | "error";
  title: string;
}

const DURATION_MS = 6000;
const MOST = 3;

let messages: readonly Message[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Message[]): void {
  messages = next;
  listeners.forEach((tell) => tell());
}

function add(kind: Message["kind"], title: string, options: ToastOptions = {}): void {
  lastId += 1;
  change([...messages, { ...options, id: lastId, kind, title }].slice(-MOST));
}

function remove(id: number): void {
  change(messages.filter((message) => message.id !== id));
}

const toast = Object.assign(
  (title: string, options?: ToastOptions) => add("plain", title, options),
  {
    success: (title: string, options?: ToastOptions) => add("success", title, options),
    error: (title: string, options?: ToastOptions) => add("error", title, options),
  },
);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function Toaster() {
  const shown = useSyncExternalStore(subscribe, () => messages);
  return (
    <div
      role="status"
      aria-live="polite"
      aria-label="Messages"
      className="pointer-events-none fixed right-4 bottom-4 left-4 z-60 flex flex-col items-end gap-2 max-sm:bottom-[calc(5rem+env(safe-area-inset-bottom))]"
    >
      {shown.map((message) => (
        <ToastCard key={message.id} message={message} />
      ))}
    </div>
  );
}

const ICONS = {
  plain: null,
  success: <CircleCheck className="size-5 text-success" aria-hidden />,
  error: <CircleAlert className="size-5 text-destructive" aria-hidden />,
};

function ToastCard({ message }: { message: Message }) {
  const { id, kind, title, description, action, durationMs = DURATION_MS } = message;
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => remove(id), durationMs);
    return () => clearTimeout(timer);
  }, [held, id, durationMs]);
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- it only waits
    <div
      data-slot="toast"
      className={cn(
        FLOATING,
        "pointer-events-auto flex w-full max-w-sm animate-rise-in items-center gap-3 py-3 pr-2 pl-4 text-sm",
      )}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {ICONS[kind]}
      <div className="min-w-0 flex-1">
        <div className="font-medium text-pretty">{title}</div>
        {description !== undefined && (
          <div className="text-pretty text-muted-foreground">{description}</div>
        )}
      </div>
      {action !== undefined && (
        <Button
          variant="secondary"
          size="sm"
          onClick={() => {
            action.onClick();
            remove(id);
          }}
        >
          {action.label}
        </Button>
      )}
      <Button variant="ghost" size="icon-sm" aria-label="Dismiss" onClick={() => remove(id)}>
        <X aria-hidden />
      </Button>
    </div>
  );
}

export { toast, Toaster };

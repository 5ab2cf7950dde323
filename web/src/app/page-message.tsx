// A page that only says something, and what to do next.
import type { ReactNode } from "react";

interface PageMessageProps {
  title: string;
  /** 2 inside of a page that has its own heading. */
  level?: 1 | 2;
  children: ReactNode;
  actions?: ReactNode;
}

export function PageMessage({ title, level = 1, children, actions }: PageMessageProps) {
  const Heading = level === 1 ? "h1" : "h2";
  return (
    <div className="grid flex-1 place-content-center justify-items-center gap-3 px-6 py-16 text-center">
      <Heading className="text-xl font-semibold tracking-tight">{title}</Heading>
      <div className="max-w-md text-sm text-pretty text-muted-foreground">{children}</div>
      {actions !== undefined && (
        <div className="mt-3 flex flex-wrap justify-center gap-2">{actions}</div>
      )}
    </div>
  );
}

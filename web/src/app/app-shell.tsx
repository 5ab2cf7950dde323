// What is around every page: the bar, the way past it, the keys, and where the focus goes.
import { Suspense, useEffect, useRef, type RefObject } from "react";
import { Outlet, useLocation } from "react-router";

import { ErrorBoundary } from "@/app/error-boundary";
import { isFocusAwaited } from "@/app/focus-target";
import { HelpDialog } from "@/app/help-dialog";
import { NavigationKeys } from "@/app/navigation-keys";
import { useScrollMemory } from "@/app/scroll-memory";
import { listenForShortcuts } from "@/app/shortcuts";
import { BottomBar, TopBar } from "@/app/top-bar";

export function AppShell() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  useFocusOnNavigation(pathname, main);
  useScrollMemory();
  useEffect(listenForShortcuts, []);
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#main"
        onClick={(event) => {
          event.preventDefault(); // it is no place of the history
          main.current?.focus();
        }}
        className="fixed top-3 left-3 z-50 -translate-y-20 rounded-lg bg-primary px-4 py-2 text-sm font-medium text-primary-foreground shadow-lg transition-transform focus:translate-y-0"
      >
        Skip to the content
      </a>
      <TopBar />
      <main
        ref={main}
        id="main"
        tabIndex={-1}
        className="flex w-full flex-1 flex-col outline-none max-sm:pb-[calc(4.5rem+env(safe-area-inset-bottom))]"
      >
        <ErrorBoundary at={pathname}>
          {/* Empty the first time only: afterwards the old page stays until the new one is there. */}
          <Suspense fallback={null}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
      <BottomBar />
      <HelpDialog />
      <NavigationKeys />
    </div>
  );
}

/** Screen readers and the keyboard begin at the new page, and not at the link that led there. */
function useFocusOnNavigation(pathname: string, main: RefObject<HTMLElement | null>): void {
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    const field = document.activeElement?.closest("main");
    if (!isFocusAwaited() && field == null) main.current?.focus({ preventScroll: true });
  }, [pathname, main]);
}

// What do all things look like that float over the page, and what do the lines of their lists?
export const FLOATING =
  "z-50 rounded-xl bg-popover text-popover-foreground shadow-lg ring-1 ring-black/6 focus-visible:outline-none data-[state=closed]:animate-pop-out data-[state=open]:animate-pop-in dark:ring-white/10";

export const LINE =
  "relative flex cursor-default items-center gap-2 rounded-lg px-2.5 py-1.5 text-sm outline-none select-none [&_svg]:pointer-events-none [&_svg]:shrink-0 [&_svg:not([class*='size-'])]:size-4 [&_svg:not([class*='text-'])]:text-muted-foreground";

export const LIST_LABEL = "px-2.5 py-1.5 text-xs font-medium text-muted-foreground";

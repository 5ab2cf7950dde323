// Where am I, where can I go, and is what I see live?
import { Activity, ImagePlus, Images, type LucideIcon } from "lucide-react";
import { Link, NavLink } from "react-router";

import icon from "@/app/icon.svg";
import {
  loadAhead,
  loadCreate,
  loadGallery,
  loadOperations,
  type LoadPage,
} from "@/app/page-loaders";
import { PageMenu } from "@/app/page-menu";
import { SimulatorBadge } from "@/app/simulator-badge";
import { cn } from "@/lib/cn";
import { ConnectionBadge } from "@/live/connection-badge";

interface Tab {
  path: string;
  name: string;
  Icon: LucideIcon;
  load: LoadPage;
}

const TABS: readonly Tab[] = [
  { path: "/", name: "Create", Icon: ImagePlus, load: loadCreate },
  { path: "/gallery", name: "Gallery", Icon: Images, load: loadGallery },
  { path: "/operations", name: "Operations", Icon: Activity, load: loadOperations },
];

export function TopBar() {
  return (
    <header className="sticky top-0 z-40 bg-background/80 backdrop-blur-lg">
      <div className="mx-auto flex h-14 max-w-screen-2xl items-center gap-2 px-4 sm:gap-6 sm:px-6">
        <Link to="/" className="flex items-center gap-2.5 rounded-md font-semibold tracking-tight">
          <img src={icon} alt="" width={26} height={26} />
          mediagen
        </Link>
        <nav aria-label="Pages" className="hidden items-center gap-1 sm:flex">
          {TABS.map(({ path, name, Icon, load }) => (
            <NavLink
              key={path}
              to={path}
              onPointerEnter={() => loadAhead(load)}
              onFocus={() => loadAhead(load)}
              className={({ isActive }) =>
                cn(
                  "flex h-9 items-center gap-2 rounded-lg px-3 text-sm font-medium text-muted-foreground transition-colors hover:text-foreground",
                  isActive && "bg-secondary text-foreground",
                )
              }
            >
              <Icon className="size-4" aria-hidden />
              {name}
            </NavLink>
          ))}
        </nav>
        <div className="ml-auto flex items-center gap-1.5">
          <SimulatorBadge />
          <ConnectionBadge />
          <PageMenu />
        </div>
      </div>
    </header>
  );
}

/** On a phone the tabs are where the thumb is. */
export function BottomBar() {
  return (
    <nav
      aria-label="Pages"
      className="fixed inset-x-0 bottom-0 z-40 grid grid-cols-3 border-t bg-background/85 pb-[env(safe-area-inset-bottom)] backdrop-blur-lg sm:hidden"
    >
      {TABS.map(({ path, name, Icon }) => (
        <NavLink
          key={path}
          to={path}
          className={({ isActive }) =>
            cn(
              "flex h-16 flex-col items-center justify-center gap-1 text-[0.6875rem] font-medium text-muted-foreground focus-visible:-outline-offset-2",
              isActive && "text-primary",
            )
          }
        >
          <Icon className="size-5.5" aria-hidden />
          {name}
        </NavLink>
      ))}
    </nav>
  );
}

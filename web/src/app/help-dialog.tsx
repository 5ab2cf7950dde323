// Which keys are there? `?` shows it.
import { Fragment, useSyncExternalStore } from "react";

import {
  turnShortcuts,
  useShortcut,
  useShortcuts,
  useShortcutsOn,
  type Shortcut,
  type ShortcutGroup,
} from "@/app/shortcuts";
import {
  Dialog,
  DialogContent,
  DialogDescription,
  DialogHeader,
  DialogTitle,
} from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/kbd";
import { Label } from "@/components/ui/label";
import { Switch } from "@/components/ui/switch";

const GROUPS: readonly ShortcutGroup[] = ["This page", "Go to", "Anywhere"];

let open = false;
const listeners = new Set<() => void>();

export function showHelp(show: boolean): void {
  open = show;
  listeners.forEach((tell) => tell());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function HelpDialog() {
  const shown = useSyncExternalStore(subscribe, () => open);
  const shortcuts = useShortcuts();
  useShortcut({ keys: "?", label: "These keys", group: "Anywhere", run: () => showHelp(true) });
  return (
    <Dialog open={shown} onOpenChange={showHelp}>
      <DialogContent className="max-w-md">
        <DialogHeader>
          <DialogTitle>Keys</DialogTitle>
          <DialogDescription>Everything works without a mouse.</DialogDescription>
        </DialogHeader>
        {GROUPS.map((group) => (
          <ShortcutList
            key={group}
            title={group}
            shortcuts={shortcuts.filter((shortcut) => shortcut.group === group)}
          />
        ))}
        <KeysSwitch />
      </DialogContent>
    </Dialog>
  );
}

function KeysSwitch() {
  const on = useShortcutsOn();
  return (
    <Label className="justify-between border-t pt-4 font-normal">
      Single keys do something
      <Switch checked={on} onCheckedChange={turnShortcuts} />
    </Label>
  );
}

function ShortcutList({ title, shortcuts }: { title: string; shortcuts: readonly Shortcut[] }) {
  if (shortcuts.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 text-xs font-medium text-muted-foreground">{title}</h3>
      <dl className="grid grid-cols-[1fr_auto] items-center gap-y-1 text-sm">
        {shortcuts.map(({ keys, label }) => (
          <Fragment key={keys}>
            <dt className="py-1">{label}</dt>
            <dd className="justify-self-end">
              <Kbd keys={keys} />
            </dd>
          </Fragment>
        ))}
      </dl>
    </section>
  );
}

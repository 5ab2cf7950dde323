// The open list of a select: it has the focus, the arrows and letters move over its lines.
import { Popover as PopoverPrimitive } from "radix-ui";
import {
  createContext,
  useMemo,
  useRef,
  useState,
  type ComponentProps,
  type KeyboardEvent,
} from "react";

import { beginningWith, neighbour, optionsOf, type Direction } from "@/components/ui/listbox";
import { useSelect } from "@/components/ui/select-state";

interface Listbox {
  /** The element id of the line that Enter takes. */
  active: string | null;
  setActive: (id: string) => void;
}

/** null: the list is closed, nothing is drawn. */
export const ListboxContext = createContext<Listbox | null>(null);

const DIRECTIONS: Readonly<Record<string, Direction>> = {
  ArrowDown: "next",
  ArrowUp: "previous",
  PageDown: "page-down",
  PageUp: "page-up",
  Home: "first",
  End: "last",
};
/** Letters that come sooner after one another belong together. */
const TYPING_MS = 600;

export function ListboxPanel({
  children,
  ...props
}: ComponentProps<typeof PopoverPrimitive.Content>) {
  const { listId, triggerId, setOpen } = useSelect();
  const [active, setActive] = useState<string | null>(null);
  const typed = useRef({ text: "", at: -Infinity });
  const listbox = useMemo(() => ({ active, setActive }), [active]);

  const go = (option: HTMLElement | undefined): void => {
    if (option === undefined) return;
    setActive(option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const list = event.currentTarget;
    const direction = DIRECTIONS[event.key];
    const writing = event.timeStamp - typed.current.at < TYPING_MS;
    if (direction !== undefined) go(neighbour(list, active, direction));
    else if (event.key === "Enter" || (event.key === " " && !writing))
      document.getElementById(active ?? "")?.click();
    else if (event.key === "Tab") setOpen(false);
    else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const text = writing ? typed.current.text + event.key : event.key;
      typed.current = { text, at: event.timeStamp };
      go(beginningWith(list, active, text));
    } else return;
    event.preventDefault();
  };

  return (
    <PopoverPrimitive.Content
      {...props}
      id={listId}
      role="listbox"
      tabIndex={-1}
      aria-labelledby={triggerId}
      aria-activedescendant={active ?? undefined}
      data-slot="select-content"
      sideOffset={6}
      collisionPadding={8}
      onKeyDown={onKeyDown}
      onOpenAutoFocus={(event) => {
        event.preventDefault();
        const list = document.getElementById(listId);
        if (list === null) return;
        list.focus({ preventScroll: true });
        const options = optionsOf(list);
        go(options.find((option) => option.ariaSelected === "true") ?? options[0]);
      }}
    >
      <ListboxContext value={listbox}>{children}</ListboxContext>
    </PopoverPrimitive.Content>
  );
}

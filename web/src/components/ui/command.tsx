// A list that is searched by typing: the names and props of shadcn's command (cmdk), by our own
// means. It is an ARIA combobox: the focus stays in the field, the arrows move over the lines.
//
// Every item says by `value` (and `keywords`) what it is found by; all words that were typed must be
// in it. `shouldFilter={false}` leaves that to the caller, who then renders only what fits.
import { Search } from "lucide-react";
import {
  createContext,
  use,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type ComponentProps,
  type KeyboardEvent,
} from "react";

import { LINE, LIST_LABEL } from "@/components/ui/floating";
import { neighbour, optionsOf, type Direction } from "@/components/ui/listbox";
import { cn } from "@/lib/cn";

interface CommandState {
  listId: string;
  query: string;
  setQuery: (query: string) => void;
  filter: boolean;
  /** The element id of the line that Enter takes. */
  active: string | null;
  setActive: (id: string | null) => void;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

const CommandContext = createContext<CommandState | null>(null);

function useCommand(): CommandState {
  const state = use(CommandContext);
  if (state === null) throw new Error("this belongs inside of <Command>");
  return state;
}

interface CommandProps extends ComponentProps<"div"> {
  shouldFilter?: boolean;
}

const DIRECTIONS: Readonly<Record<string, Direction>> = {
  ArrowDown: "next",
  ArrowUp: "previous",
  PageDown: "page-down",
  PageUp: "page-up",
  Home: "first",
  End: "last",
};

function Command({ className, shouldFilter = true, ...props }: CommandProps) {
  const listId = useId();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState<string | null>(null);
  const state = useMemo<CommandState>(
    () => ({
      listId,
      query,
      setQuery,
      filter: shouldFilter,
      active,
      setActive,
      onKeyDown: (event) => {
        const list = document.getElementById(listId);
        if (list === null || event.nativeEvent.isComposing) return;
        const direction = DIRECTIONS[event.key];
        if (direction !== undefined) {
          // Home and End belong to the text, as long as there is some.
          if ((direction === "first" || direction === "last") && query !== "") return;
          event.preventDefault();
          const next = neighbour(list, active, direction);
          setActive(next?.id ?? null);
          next?.scrollIntoView({ block: "nearest" });
        } else if (event.key === "Enter" && active !== null) {
          event.preventDefault();
          document.getElementById(active)?.click();
        }
      },
    }),
    [listId, query, shouldFilter, active],
  );
  return (
    <CommandContext value={state}>
      <div
        data-slot="command"
        className={cn("flex w-full flex-col overflow-hidden", className)}
        {...props}
      />
    </CommandContext>
  );
}

interface CommandInputProps extends Omit<ComponentProps<"input">, "value" | "onChange"> {
  value?: string;
  onValueChange?: (value: string) => void;
}

function CommandInput({ className, value, onValueChange, ...props }: CommandInputProps) {
  const { listId, query, setQuery, active, onKeyDown } = useCommand();
  useLayoutEffect(() => {
    if (value !== undefined) setQuery(value);
  }, [value, setQuery]);
  return (
    <div className="flex h-11 shrink-0 items-center gap-2 border-b px-3.5">
      <Search className="size-4 shrink-0 text-muted-foreground" aria-hidden />
      <input
        data-slot="command-input"
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls={listId}
        aria-activedescendant={active ?? undefined}
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        value={value ?? query}
        onChange={(event) => {
          setQuery(event.target.value);
          onValueChange?.(event.target.value);
        }}
        onKeyDown={onKeyDown}
        className={cn(
          "h-full w-full min-w-0 bg-transparent text-base outline-none sm:text-sm",
          className,
        )}
        {...props}
      />
    </div>
  );
}

/** The lines. Name it: `aria-label`. The first line is the one that Enter takes, until moved. */
function CommandList({ className, ...props }: ComponentProps<"div">) {
  const { listId, query, active, setActive } = useCommand();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (list.current === null) return;
    const options = optionsOf(list.current);
    if (active !== null && options.some(({ id }) => id === active)) return;
    const selected = options.find((option) => option.dataset["current"] === "true");
    const first = query === "" ? (selected ?? options[0]) : options[0];
    setActive(first?.id ?? null);
    first?.scrollIntoView({ block: "nearest" });
  });
  return (
    <div
      ref={list}
      id={listId}
      role="listbox"
      data-slot="command-list"
      className={cn("max-h-80 scroll-py-1.5 scroll-slim overflow-y-auto p-1.5", className)}
      {...props}
    />
  );
}

/** What stands there where nothing fits. Put it beside <CommandList>, which may hold options alone. */
function CommandEmpty({ className, ...props }: ComponentProps<"div">) {
  const { listId, query } = useCommand();
  const [empty, setEmpty] = useState(false);
  useEffect(() => {
    const list = document.getElementById(listId);
    const look = (): void => setEmpty(list !== null && optionsOf(list).length === 0);
    look();
    if (list === null) return;
    const observer = new MutationObserver(look);
    observer.observe(list, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, [listId, query]);
  return (
    <div
      role="status"
      data-slot="command-empty"
      className={cn(empty && "px-4 pb-6 text-center text-sm text-muted-foreground", className)}
    >
      {empty && props.children}
    </div>
  );
}

interface CommandGroupProps extends ComponentProps<"div"> {
  heading?: string;
}

function CommandGroup({ heading, className, children, ...props }: CommandGroupProps) {
  const id = useId();
  return (
    <div
      role="group"
      aria-labelledby={heading === undefined ? undefined : id}
      data-slot="command-group"
      className={cn("not-has-[[role=option]]:hidden", className)}
      {...props}
    >
      {heading !== undefined && (
        <div id={id} role="presentation" className={LIST_LABEL}>
          {heading}
        </div>
      )}
      {children}
    </div>
  );
}

interface CommandItemProps extends Omit<ComponentProps<"div">, "onSelect"> {
  value: string;
  keywords?: readonly string[];
  disabled?: boolean;
  /** Whether it is what is chosen now. */
  selected?: boolean;
  onSelect?: (value: string) => void;
}

function CommandItem({
  value,
  keywords,
  disabled = false,
  selected = false,
  onSelect,
  className,
  ...props
}: CommandItemProps) {
  const { query, filter, active, setActive } = useCommand();
  const id = useId();
  if (filter && !fits(query, [value, ...(keywords ?? [])])) return null;
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the focus
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      aria-disabled={disabled || undefined}
      data-slot="command-item"
      data-current={selected}
      data-active={active === id}
      onPointerMove={() => {
        if (!disabled && active !== id) setActive(id);
      }}
      onClick={() => {
        if (!disabled) onSelect?.(value);
      }}
      className={cn(
        LINE,
        "aria-disabled:pointer-events-none aria-disabled:opacity-50 data-[active=true]:bg-accent data-[active=true]:text-accent-foreground",
        className,
      )}
      {...props}
    />
  );
}

function fits(query: string, texts: readonly string[]): boolean {
  const all = texts.join(" ").toLowerCase();
  const words = query.toLowerCase().split(/\s+/);
  return words.every((word) => all.includes(word));
}

export { Command, CommandEmpty, CommandGroup, CommandInput, CommandItem, CommandList };

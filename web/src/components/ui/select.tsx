// One of a few: shadcn's names and props, over Radix' popover. (Radix' own select brings an inline
// style sheet, which our policy refuses.) It is an ARIA combobox that opens a listbox.
import { Check, ChevronDown } from "lucide-react";
import { Popover as PopoverPrimitive } from "radix-ui";
import { use, useId, useLayoutEffect, type ComponentProps, type ReactNode } from "react";

import { FIELD } from "@/components/ui/field";
import { FLOATING, LINE, LIST_LABEL } from "@/components/ui/floating";
import { ListboxContext, ListboxPanel } from "@/components/ui/select-listbox";
import { SelectContext, useSelect, useSelectState } from "@/components/ui/select-state";
import { cn } from "@/lib/cn";

interface SelectProps {
  value?: string;
  defaultValue?: string;
  onValueChange?: (value: string) => void;
  disabled?: boolean;
  /** For a form: a hidden field of this name. */
  name?: string;
  children: ReactNode;
}

function Select({ name, children, ...props }: SelectProps) {
  const state = useSelectState(props);
  return (
    <SelectContext value={state}>
      <PopoverPrimitive.Root open={state.open} onOpenChange={state.setOpen}>
        {children}
        {name !== undefined && <input type="hidden" name={name} value={state.value ?? ""} />}
      </PopoverPrimitive.Root>
    </SelectContext>
  );
}

interface SelectTriggerProps extends ComponentProps<"button"> {
  size?: "default" | "sm";
}

function SelectTrigger({
  className,
  size = "default",
  id,
  disabled,
  children,
  ...props
}: SelectTriggerProps) {
  const { open, setOpen, disabled: allDisabled, listId, setTriggerId } = useSelect();
  const ownId = useId();
  const triggerId = id ?? ownId;
  useLayoutEffect(() => setTriggerId(triggerId), [triggerId, setTriggerId]);
  return (
    <PopoverPrimitive.Trigger
      data-slot="select-trigger"
      data-size={size}
      id={triggerId}
      role="combobox"
      aria-haspopup="listbox"
      aria-controls={open ? listId : undefined}
      disabled={disabled ?? allDisabled}
      onKeyDown={(event) => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        event.preventDefault();
        setOpen(true);
      }}
      className={cn(
        FIELD,
        "flex w-fit items-center justify-between gap-2 text-left whitespace-nowrap data-[size=default]:h-9 data-[size=sm]:h-8 [&_svg]:size-4 [&_svg]:shrink-0",
        className,
      )}
      {...props}
    >
      {children}
      <ChevronDown className="text-muted-foreground" aria-hidden />
    </PopoverPrimitive.Trigger>
  );
}

function SelectValue({ placeholder }: { placeholder?: ReactNode }) {
  const { value, shown } = useSelect();
  const chosen = value !== undefined && shown?.value === value;
  return (
    <span
      data-slot="select-value"
      className={cn("flex min-w-0 items-center gap-2 truncate", !chosen && "text-muted-foreground")}
    >
      {chosen ? shown.node : placeholder}
    </span>
  );
}

/** The items. While it is closed they only tell the trigger what stands in it. */
function SelectContent({
  className,
  align = "start",
  children,
  ...props
}: ComponentProps<typeof PopoverPrimitive.Content>) {
  const { open } = useSelect();
  return (
    <>
      {!open && <ListboxContext value={null}>{children}</ListboxContext>}
      <PopoverPrimitive.Portal>
        <ListboxPanel
          align={align}
          className={cn(
            FLOATING,
            "max-h-[min(20rem,var(--radix-popover-content-available-height))] min-w-(--radix-popover-trigger-width) origin-(--radix-popover-content-transform-origin) scroll-py-1.5 scroll-slim overflow-y-auto p-1.5",
            className,
          )}
          {...props}
        >
          {children}
        </ListboxPanel>
      </PopoverPrimitive.Portal>
    </>
  );
}

interface SelectItemProps extends ComponentProps<"div"> {
  value: string;
  disabled?: boolean;
}

function SelectItem({ value, disabled = false, className, children, ...props }: SelectItemProps) {
  const { value: chosen, choose, setShown } = useSelect();
  const listbox = use(ListboxContext);
  const id = useId();
  const isChosen = value === chosen;
  useLayoutEffect(() => {
    if (isChosen) setShown({ value, node: children });
  }, [isChosen, value, children, setShown]);
  if (listbox === null) return null;
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the listbox has the focus
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={isChosen}
      aria-disabled={disabled || undefined}
      data-slot="select-item"
      data-active={listbox.active === id}
      onPointerMove={() => {
        if (!disabled && listbox.active !== id) listbox.setActive(id);
      }}
      onClick={() => {
        if (!disabled) choose(value);
      }}
      className={cn(
        LINE,
        "pr-9 aria-disabled:pointer-events-none aria-disabled:opacity-50 data-[active=true]:bg-accent data-[active=true]:text-accent-foreground",
        className,
      )}
      {...props}
    >
      {children}
      {isChosen && <Check className="absolute right-2.5" aria-hidden />}
    </div>
  );
}

function SelectGroup({ children, ...props }: ComponentProps<"div">) {
  if (use(ListboxContext) === null) return children;
  return (
    <div role="group" data-slot="select-group" {...props}>
      {children}
    </div>
  );
}

function SelectLabel({ className, ...props }: ComponentProps<"div">) {
  if (use(ListboxContext) === null) return null;
  return (
    <div
      role="presentation"
      data-slot="select-label"
      className={cn(LIST_LABEL, className)}
      {...props}
    />
  );
}

function SelectSeparator({ className, ...props }: ComponentProps<"div">) {
  if (use(ListboxContext) === null) return null;
  return (
    <div
      role="presentation"
      data-slot="select-separator"
      className={cn("mx-1 my-1.5 h-px bg-border", className)}
      {...props}
    />
  );
}

export {
  Select,
  SelectContent,
  SelectGroup,
  SelectItem,
  SelectLabel,
  SelectSeparator,
  SelectTrigger,
  SelectValue,
};

// What do the parts of a select know of each other?
import { createContext, use, useCallback, useId, useMemo, useState, type ReactNode } from "react";

/** What stands in the closed select: the content of the item that has this value. */
interface Shown {
  value: string;
  node: ReactNode;
}

export interface SelectState {
  value: string | undefined;
  choose: (value: string) => void;
  open: boolean;
  setOpen: (open: boolean) => void;
  disabled: boolean;
  listId: string;
  triggerId: string | undefined;
  setTriggerId: (id: string) => void;
  shown: Shown | null;
  setShown: (shown: Shown) => void;
}

export const SelectContext = createContext<SelectState | null>(null);

export function useSelect(): SelectState {
  const state = use(SelectContext);
  if (state === null) throw new Error("this belongs inside of <Select>");
  return state;
}

interface Choice {
  value?: string;
  defaultValue?: string;
  onValueChange?: (value: string) => void;
  disabled?: boolean;
}

export function useSelectState({
  value: given,
  defaultValue,
  onValueChange,
  disabled = false,
}: Choice): SelectState {
  const listId = useId();
  const [own, setOwn] = useState(defaultValue);
  const [open, setOpen] = useState(false);
  const [triggerId, setTriggerId] = useState<string>();
  const [shown, setShown] = useState<Shown | null>(null);
  const value = given ?? own;
  const choose = useCallback(
    (next: string) => {
      setOwn(next);
      setOpen(false);
      if (next !== value) onValueChange?.(next);
    },
    [value, onValueChange],
  );
  return useMemo(
    () => ({
      value,
      choose,
      open,
      setOpen,
      disabled,
      listId,
      triggerId,
      setTriggerId,
      shown,
      setShown,
    }),
    [value, choose, open, disabled, listId, triggerId, shown],
  );
}

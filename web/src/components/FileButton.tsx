// SPDX-License-Identifier: MIT
import { useRef } from "preact/hooks";
import { Button } from "./Button";
import type { IconName } from "./Icon";

interface Props {
  icon: IconName;
  label: string;
  accept: string;
  multiple?: boolean;
  iconOnly?: boolean;
  onFiles: (files: File[]) => void;
}

export function FileButton({ icon, label, accept, multiple, iconOnly, onFiles }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const take = () => {
    const files = [...(input.current!.files ?? [])];
    input.current!.value = ""; // so that the same file can be chosen again
    onFiles(files);
  };
  return (
    <>
      <Button
        icon={icon}
        label={label}
        iconOnly={iconOnly ?? false}
        onClick={() => input.current!.click()}
      />
      <input
        ref={input}
        type="file"
        hidden
        accept={accept}
        multiple={multiple ?? false}
        onChange={take}
        aria-label={label}
      />
    </>
  );
}

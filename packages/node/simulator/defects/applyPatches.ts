import type { Defect } from './defect.ts';

/** A patch that the sources have outgrown; the message names defect, file and text. */
export class PatchError extends Error {}

/** The patched text of every file that a defect touches, by its path from `packages` on. Throws a PatchError. */
export function applyPatches(defect: Defect, readSource: (file: string) => string): ReadonlyMap<string, string> {
  const patched = new Map<string, string>();
  for (const { file, from, to } of defect.patches) {
    const text = patched.get(file) ?? readSource(file);
    const times = text.split(from).length - 1;
    if (times !== 1) {
      throw new PatchError(
        `the defect "${defect.name}" does not apply: in packages/${file} this stands ${times} times instead of once: ${from}`,
      );
    }
    patched.set(
      file,
      text.replace(from, () => to),
    );
  }
  return patched;
}

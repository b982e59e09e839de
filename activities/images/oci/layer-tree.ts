import { readable } from '../../archives/archive-faults.ts';
import { refuseBadPart, type NameLimits } from './entry-name.ts';
import { unsafe } from './refusals.ts';

/** Who owns a file, and who may do what with it. */
export interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly attributes: ReadonlyMap<string, Buffer>;
}

export interface Directory {
  readonly kind: 'directory';
  ownership: Ownership;
  readonly entries: Map<string, Entry>;
}

/** A file or link; several names may stand for the same one. */
export interface Leaf {
  readonly kind: 'file' | 'symlink';
  readonly ownership: Ownership;
  /** Of a symbolic link. */
  readonly target: string;
  /** Number under which a file's content is kept; absent when it is empty. */
  readonly content?: number;
  readonly sizeBytes: number;
  names: number;
}

/** What a name in a directory stands for. */
export interface Entry {
  node: Directory | Leaf;
  /** Number of the layer that said so last. */
  layer: number;
}

const maximumLinks = 40;
const plainDirectory: Ownership = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, attributes: new Map() };
const newDirectory = (ownership = plainDirectory): Directory => ({ kind: 'directory', ownership, entries: new Map() });

/**
 * The root file system of an image while its layers are laid one upon the other. It is kept in memory, names as bytes
 * (one a character), contents apart under numbers: whatever a layer says of names, links and parents stays in here, and
 * no name becomes a path on the host before all of it is a tree, in which only directories have children.
 */
export class LayerTree {
  readonly root: Directory = newDirectory();
  readonly #limits: NameLimits;
  #freed: number[] = [];

  constructor(limits: NameLimits) {
    this.#limits = limits;
  }

  /** Numbers of contents that nothing names any more, since it was last asked. */
  takeFreed(): readonly number[] {
    const freed = this.#freed;
    this.#freed = [];
    return freed;
  }

  /** Puts a directory at a path; what a directory there holds already stays. */
  putDirectory(path: readonly string[], ownership: Ownership, layer: number): void {
    const name = path.at(-1);
    if (name === undefined) {
      this.root.ownership = ownership;
      return;
    }
    const parent = this.#parentOf(path, layer);
    const known = parent.entries.get(name);
    if (known?.node.kind === 'directory') {
      known.node.ownership = ownership;
      known.layer = layer;
    } else this.#replace(parent, name, { node: newDirectory(ownership), layer });
  }

  /** Puts a file or link at a path, over whatever stands there. */
  putLeaf(path: readonly string[], leaf: Leaf, layer: number): void {
    const name = path.at(-1);
    if (name === undefined) throw unsafe('its root is not a directory');
    leaf.names += 1;
    this.#replace(this.#parentOf(path, layer), name, { node: leaf, layer });
  }

  /** Removes what layers below have put at a path. */
  whiteOut(path: readonly string[], layer: number): void {
    const parent = this.find(path.slice(0, -1));
    const name = path.at(-1)!;
    const entry = parent?.kind === 'directory' ? parent.entries.get(name) : undefined;
    if (parent?.kind !== 'directory' || !entry) return;
    this.#removeLower(parent, name, entry, layer);
  }

  /** Removes what layers below have put into a directory. */
  makeOpaque(path: readonly string[], layer: number): void {
    const directory = this.find(path);
    if (directory?.kind !== 'directory') return;
    for (const [name, entry] of directory.entries) this.#removeLower(directory, name, entry, layer);
  }

  /** What a path names, links on the way followed; the last one only if asked. */
  find(path: readonly string[], { followLast = true } = {}): Directory | Leaf | undefined {
    return this.#walk(path, followLast)?.node;
  }

  /** The path without links on it. @returns undefined where it leads nowhere */
  resolve(path: readonly string[]): readonly string[] | undefined {
    return this.#walk(path, true)?.path;
  }

  #walk(
    path: readonly string[],
    followLast: boolean,
    create?: (parent: Directory, name: string) => Directory,
  ): { node: Directory | Leaf; path: readonly string[] } | undefined {
    const pending = [...path];
    let links = 0;
    let trail: { name: string; node: Directory }[] = [];
    const here = (): Directory => trail.at(-1)?.node ?? this.root;
    for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (trail.length === 0) throw unsafe(`a link in it leads outside of it, by ${readable(path.join('/'))}`);
        trail.pop();
        continue;
      }
      const parent = here();
      const node = parent.entries.get(name)?.node ?? create?.(parent, name);
      if (node === undefined) return undefined;
      if (node.kind === 'symlink' && (followLast || pending.length > 0)) {
        if ((links += 1) > maximumLinks) throw unsafe(`links in it lead in a circle, by ${readable(path.join('/'))}`);
        if (node.target.startsWith('/')) trail = [];
        pending.unshift(...node.target.split('/'));
      } else if (node.kind === 'directory') {
        trail.push({ name, node });
        this.#refuseTooDeep(trail);
      } else {
        const leafPath = [...trail.map((step) => step.name), name];
        return pending.some((rest) => rest !== '' && rest !== '.') ? undefined : { node, path: leafPath };
      }
    }
    return { node: here(), path: trail.map((step) => step.name) };
  }

  /** The directory of a path; those that no layer names are made. */
  #parentOf(path: readonly string[], layer: number): Directory {
    const found = this.#walk(path.slice(0, -1), true, (parent, name) => {
      refuseBadPart(name, this.#limits);
      const made = newDirectory();
      parent.entries.set(name, { node: made, layer });
      return made;
    });
    if (found?.node.kind !== 'directory') throw unsafe(`${readable(path.join('/'))} lies below something that is not a directory`);
    return found.node;
  }

  #refuseTooDeep(trail: readonly { readonly name: string }[]): void {
    if (trail.length <= this.#limits.depth && trail.reduce((sum, { name }) => sum + name.length + 1, 0) <= this.#limits.pathBytes) return;
    throw unsafe(`its directories are nested too deep (${trail.length} levels)`);
  }

  #replace(parent: Directory, name: string, entry: Entry): void {
    const old = parent.entries.get(name);
    if (old) this.#release(old.node);
    parent.entries.set(name, entry);
  }

  #removeLower(parent: Directory, name: string, entry: Entry, layer: number): void {
    const { node } = entry;
    if (node.kind === 'directory') {
      for (const [child, below] of node.entries) this.#removeLower(node, child, below, layer);
      if (node.entries.size > 0) return;
    }
    if (entry.layer >= layer) return;
    this.#release(node);
    parent.entries.delete(name);
  }

  #release(node: Directory | Leaf): void {
    if (node.kind === 'directory') {
      for (const { node: child } of node.entries.values()) this.#release(child);
      return;
    }
    node.names -= 1;
    if (node.names === 0 && node.content !== undefined) this.#freed.push(node.content);
  }
}

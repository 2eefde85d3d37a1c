import { join } from 'node:path';

/** Where things stand in the data folder of a local network (`hanse up`). */
export interface Layout {
  readonly root: string;
  /** What kind of folder this is; written last when a network is created, so its presence means that all the rest is there. */
  readonly manifest: string;
  readonly genesis: string;
  /** The development accounts with their private keys. */
  readonly accounts: string;
  /** Exists while the network runs. */
  readonly network: string;
  readonly keystore: string;
  member(name: string): MemberLayout;
}

export interface MemberLayout {
  readonly folder: string;
  readonly config: string;
  readonly keys: string;
  readonly data: string;
  readonly log: string;
}

export function layoutOf(root: string): Layout {
  return {
    root,
    manifest: join(root, 'hanse.json'),
    genesis: join(root, 'genesis.json'),
    accounts: join(root, 'accounts.json'),
    network: join(root, 'network.json'),
    keystore: join(root, 'keystore'),
    member: (name) => {
      const folder = join(root, 'members', name);
      return {
        folder,
        config: join(folder, 'node.json'),
        keys: join(folder, 'keys'),
        data: join(folder, 'data'),
        log: join(folder, 'node.log'),
      };
    },
  };
}

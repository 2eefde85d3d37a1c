import type { Address, Genesis, WorldState } from '@hanse/protocol';
import { instanceAddress, moduleAddress } from '../abi/addresses.ts';
import type { GenesisContext, InstanceModule } from '../defineModule.ts';
import { encodeMarker } from '../marker.ts';
import { bindStorage, readStorage } from '../storage/accessors.ts';
import type { SlotHasher } from '../storage/slotHasher.ts';
import { WorldSlots } from '../storage/stateSlots.ts';
import type { StorageFields } from '../storage/storageType.ts';

/** Puts a single module's marker at its address and gives what its `initialize` works with. */
export function genesisContext<Fields extends StorageFields>(
  state: WorldState,
  genesis: Genesis,
  module: InstanceModule<Fields>,
  hasher: SlotHasher,
): GenesisContext<Fields> {
  const place = (address: Address, marked: InstanceModule<StorageFields>): void => {
    if (state.exists(address)) throw new RangeError(`genesis: ${address} is reserved for the module ${marked.name}`);
    state.setCode(address, encodeMarker(marked));
  };
  const self = moduleAddress(module.number);
  place(self, module);
  return {
    self,
    genesis,
    storage: bindStorage(new WorldSlots(state, self, hasher), module.storage),
    peek: (address, fields) => readStorage(new WorldSlots(state, address, hasher), fields),
    createInstance(instanceModule, instance) {
      const address = instanceAddress(module.number, instance);
      place(address, instanceModule);
      return { address, storage: bindStorage(new WorldSlots(state, address, hasher), instanceModule.storage) };
    },
  };
}

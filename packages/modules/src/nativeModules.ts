import { anchorModule } from './anchor/anchorModule.ts';
import { currencyFactoryModule } from './currency/currencyFactoryModule.ts';
import { currencyModule } from './currency/currencyModule.ts';
import type { NativeModule } from './defineModule.ts';
import { membersModule } from './members/membersModule.ts';

/** All modules of this version of the program, in the order in which the genesis writes them: by number. */
export const nativeModules: readonly NativeModule[] = [
  membersModule,
  currencyFactoryModule,
  currencyModule,
  anchorModule,
];

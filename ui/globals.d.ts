import type { Change } from './bindings/view.d.ts';

declare global {
  interface Window {
    __TAURI__: {
      core: { invoke(command: string, args?: object): Promise<any> };
      event: { listen(name: string, handler: (event: { payload: Change }) => void): Promise<() => void> };
    };
  }
}

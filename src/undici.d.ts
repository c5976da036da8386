// undici is bundled from the one module that is needed (see http.ts); its types are those of the whole.
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}

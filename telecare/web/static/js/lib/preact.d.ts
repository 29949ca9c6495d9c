// The few types our pages need of the vendored bundle (preact + hooks + signals + htm).
export interface VNode { type: unknown; props: object; key: unknown }
export type Child = VNode | VNode[] | string | number | boolean | null | undefined | Child[];
export interface Ref<T> { current: T | null }
export interface Signal<T> { value: T; peek(): T; subscribe(fn: (value: T) => void): () => void }
export interface ReadonlySignal<T> { readonly value: T; peek(): T; subscribe(fn: (value: T) => void): () => void }
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
export function render(node: Child, root: Element): void;
export function useState<T>(first: T | (() => T)): [T, (next: T | ((old: T) => T)) => void];
export function useEffect(fn: () => void | (() => void), deps?: unknown[]): void;
export function useRef<T>(first: T | null): Ref<T>;
export function signal<T>(first: T): Signal<T>;
export function computed<T>(fn: () => T): ReadonlySignal<T>;
export function effect(fn: () => void | (() => void)): () => void;
export function batch<T>(fn: () => T): T;

/**
 * `make`, called once for each object: what follows from a task's schema is made once and not for every record. The
 * object must not change afterwards. Nothing is kept when `make` throws, nor longer than the object.
 */
export function perObject<K extends object, V>(make: (object: K) => V): (object: K) => V {
  const made = new WeakMap<K, { readonly value: V }>();
  return (object) => {
    const known = made.get(object);
    if (known !== undefined) return known.value;
    const value = make(object);
    made.set(object, { value });
    return value;
  };
}

/** `JSON.stringify` of an object that many records share, as a schema or parameters. */
export const sharedText = perObject((object: object): string => JSON.stringify(object));

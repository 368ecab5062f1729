// Invalid components by rule: what stands in a component, and what the refusal says.

export interface Rule {
  readonly rule: string
  readonly cases: readonly (readonly [what: string, text: string, message: string])[]
}

const CORE = `(core module $m (memory (export "mem") 1) (func (export "f") (param i32) (result i32) (local.get 0))
  (func (export "v")))
  (core instance $i (instantiate $m))`
const LIFTED = '(canon lift (core func $i "f"))'
/** A component of which no instance is made. */
const unused = (text: string): string => `(component ${text})`

export const RULES: readonly Rule[] = [
  {
    rule: 'External Visibility of Types',
    cases: [
      [
        'a function that gives a resource without a name',
        `${CORE} (type $r (resource (rep i32))) (func $f (param "a" u32) (result (own $r)) ${LIFTED}) (export "f" (func $f))`,
        'export "f": result: resource type 0; expected it by the name under which it is imported or exported before',
      ],
      [
        'a function that takes a record under the name that it had before',
        `${CORE} (type $t (record (field "x" u32))) (func $f (param "a" $t) (result u32) ${LIFTED}) (export "t" (type $t)) (export "f" (func $f))`,
        'export "f": parameter "a": a record without a name; expected one that is imported or exported before',
      ],
      [
        'an import that speaks of an export',
        '(type $t (enum "a")) (export $e "t" (type $t)) (import "f" (func (result (list $e))))',
        'import "f": result: enum t; expected it by the name under which it is imported or exported before',
      ],
      [
        'a type made of one without a name',
        '(type $t (flags "a")) (type $l (option (list $t))) (export "l" (type $l))',
        'export "l": a flags without a name',
      ],
      [
        'an instance of which one function speaks of a hidden type',
        '(type $i (instance (type $t (variant (case "a"))) (export "f" (func (param "p" $t))))) (import "i" (instance (type $i)))',
        'import "i": export "f": parameter "p": a variant without a name',
      ],
      [
        'a component type that no import uses',
        '(type (component (export "r" (type $r (sub resource))) (import "f" (func (result (own $r))))))',
        'import "f": result: resource r;',
      ],
      [
        'a type of an outer component in one that is never instantiated',
        `(type $t (record (field "x" u32))) (import "t" (type $n (eq $t))) ${unused('(import "f" (func (param "p" $n)))')}`,
        'import "f": parameter "p": record t;',
      ],
      [
        'a resource of its own as an import',
        '(type $r (resource (rep i32))) (import "t" (type (eq $r)))',
        'import "t": expected types that are imported, got a resource of the component itself',
      ],
    ],
  },
  {
    rule: 'annotated names',
    cases: [
      [
        'a constructor that gives nothing',
        '(import "a" (type (sub resource))) (import "[constructor]a" (func))',
        'import "[constructor]a": expected a result of own<a>, or result<own<a>, …>, got nothing',
      ],
      [
        'a constructor of another resource',
        '(import "b" (type $b (sub resource))) (import "[constructor]a" (func (result (own $b))))',
        'got a resource that is "b"',
      ],
      [
        'a constructor that may fail with something else',
        '(import "a" (type (sub resource))) (import "[constructor]a" (func (result (result string))))',
        'result<own<a>, …>, got result<string>',
      ],
      [
        'a method without self',
        '(import "a" (type $a (sub resource))) (import "[method]a.b" (func (param "this" (borrow $a))))',
        'import "[method]a.b": expected a first parameter "self" of borrow<a>, got "this"',
      ],
      [
        'a method that takes itself away',
        '(import "a" (type $a (sub resource))) (import "[method]a.b" (func (param "self" (own $a))))',
        'expected a first parameter "self" of borrow<a>, got a',
      ],
      [
        'a static function of nothing',
        '(import "[static]a.b" (func))',
        'import "[static]a.b": there is no resource "a" before it',
      ],
      [
        'a method of a resource that only an instance has',
        '(import "i" (instance $i (export "t" (type (sub resource))))) (alias export $i "t" (type $t)) (import "[method]t.m" (func (param "self" (borrow $t))))',
        'got a resource that is one that has no name before it in this scope',
      ],
      [
        'a method in a type that nobody uses',
        '(type (instance (export "[method]a.b" (func (param "self" u32)))))',
        'export "[method]a.b": expected a first parameter "self" of borrow<a>, got u32',
      ],
    ],
  },
  {
    rule: 'names that stand twice',
    cases: [
      [
        'imports of a core module',
        '(core module (import "a" "b" (func)) (import "a" "b" (func)))',
        'core module: import "a" "b" stands twice',
      ],
      [
        'exports of a core instance',
        `${CORE} (core instance (export "a" (func $i "f")) (export "a" (func $i "v")))`,
        'export "a" of a core instance stands twice',
      ],
      [
        'imports of a module type',
        '(core type (module (import "a" "b" (func)) (import "a" "b" (memory 1))))',
        'core module: import "a" "b" stands twice',
      ],
      [
        'exports of a module type in an instance type',
        '(type (instance (core type (module (export "a" (func)) (export "a" (func))))))',
        'core module: export "a" stands twice',
      ],
      [
        'arguments of a component that is never instantiated',
        unused(
          '(component $c) (instance $i (instantiate $c)) (instance (instantiate $c (with "a" (instance $i)) (with "a" (instance $i))))',
        ),
        '"a" stands twice',
      ],
    ],
  },
  {
    rule: 'core types',
    cases: [
      [
        'a type that a module type does not have',
        '(core type (module (export "a" (func (type 0)))))',
        'core type of the module type 0 does not exist; there are 0',
      ],
      [
        'a memory of more than 4 GiB',
        '(core type (module (import "" "m" (memory 70000))))',
        'core memory: the limits exceed 65536',
      ],
      [
        'limits the wrong way round',
        '(core type (module (import "" "t" (table 2 1 funcref))))',
        'core table: the minimum 2 exceeds the maximum 1',
      ],
      [
        'a function where a module is declared',
        '(core type $t (func)) (type (component (import "m" (core module (type $t)))))',
        'core type 0: expected a module type, got a func type',
      ],
      [
        'an alias of nothing',
        '(core type (module (alias outer 1 0 (type))))',
        'core type 0 does not exist; there are 0',
      ],
      [
        'code of a module that no instance needs',
        unused('(core module (func (result i32)))'),
        'a core module does not compile',
      ],
    ],
  },
  {
    rule: 'core linking in components that are never instantiated',
    cases: [
      [
        'a function of another type',
        unused(
          `${CORE} (core module $n (import "" "f" (func (param i64)))) (core instance (instantiate $n (with "" (instance $i))))`,
        ),
        'import "" "f" of core module 1: expected core function (i64) -> (), got core function (i32) -> (i32)',
      ],
      [
        'too small a memory',
        unused(
          `${CORE} (core module $n (import "" "mem" (memory 2))) (core instance (instantiate $n (with "" (instance $i))))`,
        ),
        'import "" "mem" of core module 1: expected core memory of at least 2 pages, got core memory of at least 1 pages',
      ],
      [
        'a global that may change',
        unused(`(core module $a (global (export "g") (mut i32) (i32.const 0))) (core instance $j (instantiate $a))
          (core module $n (import "" "g" (global i32))) (core instance (instantiate $n (with "" (instance $j))))`),
        'expected immutable core global of i32, got mutable core global of i32',
      ],
      [
        'a table of something else',
        unused(`(core module $a (table (export "t") 1 externref)) (core instance $j (instantiate $a))
          (core module $n (import "" "t" (table 1 funcref))) (core instance (instantiate $n (with "" (instance $j))))`),
        'expected core table of funcref, at least 1 elements, got core table of externref, at least 1 elements',
      ],
      [
        'a lifted function of another type',
        unused(`${CORE} (func (param "a" u64) (result u32) ${LIFTED})`),
        'lifted function: expected core function (i64) -> (i32), got (i32) -> (i32)',
      ],
      [
        'a lowered function without memory',
        unused('(import "f" (func $f (param "s" string))) (core func (canon lower (func $f)))'),
        'lowered function: its type needs the option memory',
      ],
      [
        'a destructor of another type',
        unused(`${CORE} (type (resource (rep i32) (dtor (core func $i "f"))))`),
        'destructor: expected core function (i32) -> (), got (i32) -> (i32)',
      ],
      [
        'the representation of a resource of others',
        unused('(import "r" (type $r (sub resource))) (core func (canon resource.rep $r))'),
        'canon resource.rep: the resource is defined by another component',
      ],
    ],
  },
  {
    rule: 'subtyping of modules and components',
    cases: [
      [
        'a module that needs more than is declared',
        `(core module $m (import "" "f" (func))) ${'(component $c (import "m" (core module)))'} (instance (instantiate $c (with "m" (core module $m))))`,
        'instantiation argument "m" import "" "f": it is not declared, but the core module needs it',
      ],
      [
        'a module that exports less',
        '(core module $m) (component $c (import "m" (core module (export "f" (func))))) (instance (instantiate $c (with "m" (core module $m))))',
        'instantiation argument "m" export "f": expected core function () -> (), got nothing',
      ],
      [
        'a component that needs more than is declared',
        '(component $c (import "c" (component))) (component $d (import "x" (func))) (instance (instantiate $c (with "c" (component $d))))',
        'instantiation argument "c" import "x": expected a function, got nothing',
      ],
      [
        'a component that exports something else',
        '(component $c (import "c" (component (export "x" (instance))))) (component $d (component $e) (export "x" (component $e))) (instance (instantiate $c (with "c" (component $d))))',
        'instantiation argument "c" export "x": expected an instance, got a component',
      ],
      [
        'two resources that an imported component keeps apart',
        unused(`(import "c" (component $c (export "a" (type (sub resource))) (export "b" (type (sub resource)))))
          (instance $i (instantiate $c)) (alias export $i "a" (type $a)) (alias export $i "b" (type $b))
          (component $same (import "a" (type $x (sub resource))) (import "b" (type (eq $x))))
          (instance (instantiate $same (with "a" (type $a)) (with "b" (type $b))))`),
        'instantiation argument "b": expected resource b, got another resource b',
      ],
      [
        'a resource that its component hides behind another name',
        `(component $c (type $r (resource (rep i32))) (export "a" (type $r)) (export "b" (type $r) (type (sub resource))))
          (instance $i (instantiate $c)) (alias export $i "a" (type $a)) (alias export $i "b" (type $b))
          (component $same (import "a" (type $x (sub resource))) (import "b" (type (eq $x))))
          (instance (instantiate $same (with "a" (type $a)) (with "b" (type $b))))`,
        'expected resource b, got another resource b',
      ],
      [
        'an export that is not what is ascribed',
        '(import "f" (func $f)) (export "g" (func $f) (func (param "a" u32)))',
        'export "g": expected parameters 1 labels ("a"), got no parameters',
      ],
    ],
  },
  {
    rule: 'aliases',
    cases: [
      [
        'a component inside of a type',
        '(component $d) (type (component (alias outer 1 0 (component))))',
        'alias of a component: inside of a type only types and instances have any',
      ],
      [
        'a function inside of a type',
        '(type (component (import "i" (instance $i (export "f" (func)))) (alias export $i "f" (func))))',
        'alias of a func: inside of a type only types and instances have any',
      ],
      [
        'a type of resources across a component that is never instantiated',
        `(type $r (resource (rep i32))) (type $u (component (export "a" (type (eq $r))))) ${unused('(alias outer 1 1 (type))')}`,
        'outer alias: a type of resources cannot be reached from inside a component',
      ],
      [
        'a type that stands behind',
        `${unused('(alias outer 1 0 (type))')} (type u8)`,
        'type 0 does not exist; there are 0',
      ],
      [
        'a core type of nobody',
        '(alias outer 0 0 (core type))',
        'core type 0 does not exist; there are 0',
      ],
      [
        'scopes that are not there',
        unused('(type (instance (alias outer 5 0 (type))))'),
        'outer alias: there are fewer than 5 scopes outside',
      ],
    ],
  },
  {
    rule: 'extern types',
    cases: [
      [
        'a function of an instance type',
        '(type $t (instance)) (type (component (import "f" (func (type $t)))))',
        'type 0: expected a function type, got instance',
      ],
      [
        'an instance of a function type',
        '(type $t (func)) (type (instance (export "i" (instance (type $t)))))',
        'type 0: expected an instance type, got func',
      ],
      [
        'a type that is not there',
        '(type (component (export "a" (func (type 3)))))',
        'type 3 does not exist; there are 0',
      ],
    ],
  },
]

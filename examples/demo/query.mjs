// query.mjs SLAB FOLDER: as query.clj, in Node.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEDNString } from 'edn-data';
import transit from 'transit-js';
import { keyword, open } from '../../js/node.js';

const WANTED = 'Springfield';
const LATITUDE = 48.8566;
const LONGITUDE = 2.3522;

const [path, folder] = process.argv.slice(2);
const [NAME, COUNTRY, ADMIN1, LAT, LNG] = ['name', 'country', 'admin1', 'lat', 'lng'].map((name) => keyword(name));

/** Calls f, prints its time, returns its value. */
function timed(name, f) {
  const start = performance.now();
  const result = f();
  console.log(`time ${name} ${(performance.now() - start).toFixed(3)}`);
  return result;
}

const line = (country, admin1, lat, lng) => `${country}.${admin1} ${lat.toFixed(5)} ${lng.toFixed(5)}`;

function lookUp(slab) {
  const now = slab.snapshot(); // all atoms at one version
  const cities = now.get('geo/cities');
  const found = now.get('geo/by-name').get(WANTED).map((i) => {
    const city = cities.get(i);
    return line(city.get(COUNTRY), city.get(ADMIN1), city.get(LAT), city.get(LNG));
  });
  now.close();
  return found.join('; ');
}

function mostCities(cities, byCountry) {
  const counts = new Map();
  for (const city of cities) {
    const country = city.get(COUNTRY);
    counts.set(country, (counts.get(country) ?? 0) + 1);
  }
  assert.ok(byCountry.equals(counts), 'the counts are not those of :geo/by-country');
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted.slice(0, 5).map(([country, n]) => `${country} ${n}`).join(', ');
}

const radians = (degrees) => (degrees / 180) * Math.PI;

/** Kilometres on a sphere, by the haversine formula. */
function distance(lat, lng) {
  const a = Math.sin(radians(lat - LATITUDE) / 2);
  const b = Math.sin(radians(lng - LONGITUDE) / 2);
  return 2 * 6371 * Math.asin(Math.sqrt(a * a + Math.cos(radians(LATITUDE)) * Math.cos(radians(lat)) * b * b));
}

function nearest(cities) {
  const best = [];
  for (const city of cities) {
    const d = distance(city.get(LAT), city.get(LNG));
    if (best.length === 3 && d >= best[2].d) continue;
    best.push({ d, name: city.get(NAME) });
    best.sort((x, y) => x.d - y.d);
    best.length = Math.min(best.length, 3);
  }
  return best.map(({ d, name }) => `${name} ${d.toFixed(1)} km`).join(', ');
}

function openAndLookUp() {
  const opened = open(path, { create: false });
  return [opened, lookUp(opened)];
}

const [firstSlab, inPlace] = timed('in-place', openAndLookUp); // loads the addon
firstSlab.close();
const [slab, again] = timed('again', openAndLookUp);
assert.equal(again, inPlace, 'another answer after opening again');
console.log(`answer look-up ${inPlace}`);
const now = slab.snapshot();
const cities = now.get('geo/cities');
console.log(`answer most ${timed('most', () => mostCities(cities, now.get('geo/by-country')))}`);
console.log(`answer nearest ${timed('nearest', () => nearest(cities))}`);
now.close();
slab.close();

/** The look-up in what a reader made of the text: `get` takes a map and the name of a key. */
function lookUpParsed(all, get, byName) {
  const list = get(all, 'cities');
  const indices = byName(get(all, 'by-name'));
  return indices.map((i) => line(...['country', 'admin1', 'lat', 'lng'].map((key) => get(list[i], key)))).join('; ');
}

const readers = {
  json: (text) => lookUpParsed(JSON.parse(text), (map, key) => map[key], (names) => names[WANTED]),
  edn: (text) => lookUpParsed(parseEDNString(text, { mapAs: 'map', keywordAs: 'string' }), (map, key) => map.get(key), (names) => names.get(WANTED)),
  transit: (text) => lookUpParsed(transit.reader('json').read(text), (map, key) => map.get(transit.keyword(key)), (names) => names.get(WANTED)),
};
for (const [name, read] of Object.entries(readers)) {
  const file = join(folder, `cities.${name}`);
  console.error(`    reading cities.${name}`);
  assert.equal(timed(name, () => read(readFileSync(file, 'utf8'))), inPlace, `another answer from ${file}`);
}

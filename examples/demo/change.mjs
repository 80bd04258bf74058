// change.mjs SLAB: adds a city to the cities, its name and its country.
import { conj, keyword, open } from '../../js/node.js';

const slab = open(process.argv[2], { create: false });
const city = { name: 'Concordia Station', lat: -75.09978, lng: 123.33222, country: 'AQ', admin1: '00', admin2: '' };
const entries = Object.entries(city).map(([key, value]) => [keyword(key), value]);

const start = performance.now();
const cities = slab.atom('geo/cities').swap(conj, new Map(entries));
slab.atom('geo/by-name').swap((names) => names.update(city.name, (indices) => (indices ?? []).concat([cities.length - 1])));
slab.atom('geo/by-country').swap((countries) => countries.update(city.country, (n) => (n ?? 0) + 1));
console.log(`${city.name} is city ${cities.length}; three swaps: ${(performance.now() - start).toFixed(1)} ms`);
slab.close();

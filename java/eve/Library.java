package eve;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;

/**
 * Finds the native library and loads it. In this order: the file named by -Deve.lib or EVE_LIB; the one in the jar, which is copied once to a folder
 * of the user's (-Deve.cache, EVE_CACHE, else XDG_CACHE_HOME/eve or ~/.cache/eve), under its hash; target/release above the folder of these classes.
 */
final class Library {
    private static final String OS = system("os.name").startsWith("mac") ? "macos" : system("os.name").replace(' ', '-');
    private static final String ARCH = system("os.arch").equals("amd64") ? "x86_64" : system("os.arch");
    private static final String NAME = OS.equals("macos") ? "libeve.dylib" : "libeve.so";
    /** Where it is in the jar. */
    private static final String RESOURCE = "natives/" + OS + "-" + ARCH + "/" + NAME;
    /** What others may not do with a file that is loaded from there. */
    private static final Set<PosixFilePermission> FOREIGN = Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);

    /** Where it was loaded from. */
    final String path;
    final SymbolLookup symbols;

    private Library(Path path) {
        this.path = path.toString();
        try {
            symbols = SymbolLookup.libraryLookup(path, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new EveException(0, "can't load the eve library " + path + ": " + e.getMessage(), e);
        }
    }

    private static String system(String property) {
        return System.getProperty(property).toLowerCase(Locale.ROOT);
    }

    private static String given(String property, String variable) {
        String p = System.getProperty(property);
        String s = p != null && !p.isEmpty() ? p : System.getenv(variable);
        return s == null || s.isEmpty() ? null : s;
    }

    static Library load() {
        String given = given("eve.lib", "EVE_LIB");
        if (given != null) {
            Path p = Path.of(given).toAbsolutePath();
            if (!Files.isRegularFile(p)) {
                throw new EveException(0, "there is no eve library at " + p + ", the place given by eve.lib or EVE_LIB");
            }
            return new Library(p);
        }
        URL packed = Library.class.getClassLoader().getResource(RESOURCE);
        return packed != null ? unpacked(packed) : built();
    }

    // From the jar

    private static Library unpacked(URL packed) {
        Exception why;
        try {
            return new Library(cached(packed));
        } catch (IOException | EveException e) { // no home, a read-only or full disk, a file system mounted noexec
            why = e;
        }
        try {
            Path file = Files.createTempFile("eve", NAME);
            try (InputStream in = packed.openStream()) {
                Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
                return new Library(file);
            } finally {
                Files.delete(file); // what is loaded stays
            }
        } catch (IOException | EveException e) {
            e.addSuppressed(why);
            throw new EveException(0, "can't unpack the eve library, neither to " + folder() + " (" + why.getMessage() + ") nor to a temporary file ("
                + e.getMessage() + "): name a folder for it with -Deve.cache=... or EVE_CACHE", e);
        }
    }

    private static Path folder() {
        String given = given("eve.cache", "EVE_CACHE");
        if (given != null) {
            return Path.of(given).toAbsolutePath();
        }
        String cache = System.getenv("XDG_CACHE_HOME");
        Path base = cache != null && Path.of(cache).isAbsolute() ? Path.of(cache) : Path.of(System.getProperty("user.home"), ".cache");
        return base.resolve("eve");
    }

    /** The file in the user's folder, made if it isn't there. Processes that make it at the same time each put a whole one in its place. */
    private static Path cached(URL packed) throws IOException {
        Path folder = folder();
        if (!folder.isAbsolute()) { // of a user without a home Java says "?"
            throw new IOException("there is no home folder");
        }
        Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        checkOurs(folder);
        Path file = folder.resolve(hash() + "-" + NAME);
        // Of the right length: an earlier one may have been cut by a crash.
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) == packed.openConnection().getContentLengthLong()) {
            checkOurs(file);
            return file;
        }
        Path part = Files.createTempFile(folder, "part", NAME);
        try {
            try (InputStream in = packed.openStream()) {
                Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
            }
            try (FileChannel c = FileChannel.open(part, StandardOpenOption.WRITE)) {
                c.force(true);
            }
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
        return file;
    }

    /** What another user can write may be anything. */
    private static void checkOurs(Path p) throws IOException {
        Set<PosixFilePermission> may = Files.getPosixFilePermissions(p);
        Path probe = Files.createTempFile("eve", ".owner");
        try {
            if (!Files.getOwner(p).equals(Files.getOwner(probe)) || FOREIGN.stream().anyMatch(may::contains)) {
                throw new IOException(p + " belongs to another user or can be written by others");
            }
        } finally {
            Files.delete(probe);
        }
    }

    /** SHA-256 of the library in the jar, from beside it if it was made by the build. */
    private static String hash() throws IOException {
        ClassLoader loader = Library.class.getClassLoader();
        try (InputStream known = loader.getResourceAsStream(RESOURCE + ".sha256"); InputStream in = loader.getResourceAsStream(RESOURCE)) {
            return known != null ? new String(known.readAllBytes(), StandardCharsets.US_ASCII).strip()
                : HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(in.readAllBytes()));
        } catch (NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
    }

    // From the project

    private static Library built() {
        try {
            Path classes = Path.of(Library.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            for (Path folder = Files.isDirectory(classes) ? classes : null; folder != null; folder = folder.getParent()) {
                Path p = folder.resolve("target/release").resolve(NAME);
                if (Files.isRegularFile(p)) {
                    return new Library(p);
                }
            }
        } catch (URISyntaxException e) {
            throw new EveException(0, "can't get at the eve library: " + e, e);
        }
        if (!RESOURCE.startsWith("natives/linux-x86_64/")) {
            throw new EveException(0, "eve runs on Linux on x86-64; this is " + System.getProperty("os.name") + " on " + System.getProperty("os.arch")
                + ", and there is no " + RESOURCE + " on the class path. A library built for it can be named with -Deve.lib=... or EVE_LIB");
        }
        throw new EveException(0, "there is no eve library: no " + RESOURCE + " on the class path and no target/release/" + NAME
            + " in the project; build it (make build) or name it with -Deve.lib=... or EVE_LIB");
    }
}

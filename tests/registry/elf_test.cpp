// SPDX-License-Identifier: Apache-2.0
#include "registry/elf.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <random>
#include <set>

#include "registry/manifest.h"
#include "temporary.h"

namespace paribus::registry {
namespace {

using namespace test;

constexpr const char* kNotPlugin = "it is no Paribus plugin; take it out of the folder";
constexpr const char* kAgain = "copy or build it again";

class ElfTest : public testing::Test {
 protected:
  std::string refusal(const std::string& bytes) {
    const fs::path file = write_bytes(folder_ / "x.so", bytes);
    return error_of([&] { read_section(file); });
  }
  template <class T>
  static std::string with(std::string bytes, std::size_t offset, T value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    return bytes;
  }
  /// Offset of a member of the header of section 1 (.paribus) or 2 (the names) of elf_with.
  static std::size_t section(const std::string& bytes, std::size_t index, std::size_t member) {
    return bytes.size() - (3 - index) * sizeof(Elf64_Shdr) + member;
  }

  TemporaryFolder folder_;
  const std::string small_ = elf_with("{}\n");
};

TEST_F(ElfTest, ReadsTheSectionOfALibraryThatAbortsWhoeverLoadsIt) {
  const std::string text = read_section(fixture("good")).text;
  EXPECT_EQ(text.find("{\"paribus\":1,\"kind\":\"optimizer\",\"name\":\"good\""), 0U);
}

TEST_F(ElfTest, ReadsSeveralPartsWithPaddingBetween) {
  const auto parts = parse_manifests(read_section(fixture("two_parts")).text);
  ASSERT_EQ(parts.size(), 2U);
  const std::set<std::string> names{parts[0].kind + "/" + parts[0].name,
                                    parts[1].kind + "/" + parts[1].name};
  EXPECT_EQ(names, (std::set<std::string>{"schedule/one",
                                          "callback/two"}));  // the compiler chooses the order
}

TEST_F(ElfTest, ReadsTheSmallestFile) {
  EXPECT_EQ(read_section(write_bytes(folder_ / "x.so", small_)).text, "{}\n");
}

TEST_F(ElfTest, IdentifiesAFileByItsState) {
  const fs::path file = write_bytes(folder_ / "x.so", small_);
  const FileIdentity before = identify(file);
  EXPECT_EQ(before, read_section(file).identity);
  EXPECT_EQ(before.size, small_.size());
  make_old(file);
  EXPECT_NE(identify(file), before);
}

TEST_F(ElfTest, RefusesWhatIsNotALibrary) {
  EXPECT_EQ(refusal(""), std::string("is empty; ") + kAgain);
  EXPECT_EQ(refusal("#!/bin/sh\n"), std::string("is not an ELF file; ") + kNotPlugin);
  EXPECT_EQ(refusal("\x7f"), std::string("is not an ELF file; ") + kNotPlugin);
  EXPECT_EQ(refusal(with<char>(small_, EI_CLASS, ELFCLASS32)),
            "is not a 64-bit library; build it for x86-64 or aarch64");
  EXPECT_EQ(refusal(with<char>(small_, EI_DATA, ELFDATA2MSB)),
            "is not a little-endian library; build it for x86-64 or aarch64");
  EXPECT_EQ(refusal(with<Elf64_Half>(small_, offsetof(Elf64_Ehdr, e_type), ET_REL)),
            "is not a shared library (ELF type 1, expected 3); link it with -shared");
  EXPECT_EQ(refusal(with<Elf64_Half>(small_, offsetof(Elf64_Ehdr, e_machine), EM_RISCV)),
            "is for another machine (ELF machine 243); build it for x86-64 or aarch64");
  EXPECT_EQ(error_of([] { read_section(fixture("no_section")); }),
            std::string("has no section .paribus; ") + kNotPlugin);
}

TEST_F(ElfTest, RefusesAFolderAFifoAndWhatIsNotThere) {
  EXPECT_EQ(error_of([&] { read_section(folder_.path()); }),
            "is a folder, expected a shared library; take it out of the folder");
  EXPECT_EQ(error_of([&] { read_section(folder_ / "none.so"); }),
            "can't be opened: No such file or directory; check the path and its permissions");
  ASSERT_EQ(::mkfifo((folder_ / "fifo.so").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { read_section(folder_ / "fifo.so"); }),
            "is not a regular file; take it out of the folder");
  fs::create_symlink("loop.so", folder_ / "loop.so");
  EXPECT_EQ(
      error_of([&] { identify(folder_ / "loop.so"); }),
      "can't be opened: Too many levels of symbolic links; check the path and its permissions");
}

TEST_F(ElfTest, RefusesAFileThatMayNotBeRead) {
  const fs::path file = write_bytes(folder_ / "x.so", small_);
  fs::permissions(file, fs::perms::none);
  const uid_t user = ::geteuid();
  ASSERT_EQ(::seteuid(user == 0 ? 65534 : user), 0);  // root may read everything
  const std::string error = error_of([&] { read_section(file); });
  ASSERT_EQ(::seteuid(user), 0);
  EXPECT_EQ(error, "can't be opened: Permission denied; check the path and its permissions");
}

TEST_F(ElfTest, RefusesAFileCutShortAtEveryLength) {
  for (std::size_t length = 0; length < small_.size(); ++length) {
    EXPECT_NE(refusal(small_.substr(0, length)), "no error") << length;
  }
  const std::string real = read_bytes(fixture("good"));
  for (std::size_t length = 0; length < real.size(); length += 53) {
    EXPECT_NE(refusal(real.substr(0, length)), "no error") << length;
  }
  EXPECT_EQ(refusal(small_.substr(0, 40)),
            std::string("ends within the ELF header, after 40 bytes; ") + kAgain);
  EXPECT_EQ(refusal(small_.substr(0, small_.size() - 1))
                .find("is cut short or damaged: its section table (at byte 87)"),
            0U);
}

TEST_F(ElfTest, RefusesALyingSectionTable) {
  const std::size_t offset = offsetof(Elf64_Ehdr, e_shoff);
  EXPECT_EQ(refusal(with<Elf64_Off>(small_, offset, 0)),
            std::string("has no section table; ") + kNotPlugin);
  for (const Elf64_Off lie :
       {Elf64_Off{small_.size()}, Elf64_Off{1} << 40, ~Elf64_Off{0}, ~Elf64_Off{0} - 63}) {
    EXPECT_NE(refusal(with<Elf64_Off>(small_, offset, lie))
                  .find("is cut short or damaged: its section table"),
              std::string::npos)
        << lie;
  }
  EXPECT_NE(refusal(with<Elf64_Half>(small_, offsetof(Elf64_Ehdr, e_shnum), 60000)), "no error");
  EXPECT_NE(refusal(with<Elf64_Half>(small_, offsetof(Elf64_Ehdr, e_shentsize), 1)), "no error");
  EXPECT_NE(refusal(with<Elf64_Half>(small_, offsetof(Elf64_Ehdr, e_shstrndx), 99)), "no error");
}

TEST_F(ElfTest, RefusesALyingSection) {
  const std::size_t size = section(small_, 1, offsetof(Elf64_Shdr, sh_size));
  const std::size_t offset = section(small_, 1, offsetof(Elf64_Shdr, sh_offset));
  EXPECT_EQ(refusal(with<Elf64_Xword>(small_, size, 5000)),
            "is cut short or damaged: its section .paribus (at byte 64, 5000 bytes) doesn't fit "
            "into its 279 bytes; "
            "copy or build it again");
  EXPECT_EQ(refusal(with<Elf64_Xword>(small_, size, ~Elf64_Xword{0})),
            "has a section .paribus of 18446744073709551615 bytes, expected at most 1048576; offer "
            "fewer parts per file");
  EXPECT_NE(refusal(with<Elf64_Off>(small_, offset, ~Elf64_Off{0})), "no error");
  EXPECT_NE(refusal(with<Elf64_Off>(small_, offset, small_.size())), "no error");
  EXPECT_EQ(refusal(with<Elf64_Word>(small_, section(small_, 1, offsetof(Elf64_Shdr, sh_type)),
                                     SHT_NOBITS)),
            "has a section .paribus without plain bytes; rebuild it without stripping or "
            "compressing sections");
  EXPECT_NE(refusal(with<Elf64_Xword>(small_, section(small_, 1, offsetof(Elf64_Shdr, sh_flags)),
                                      SHF_COMPRESSED)),
            "no error");
}

TEST_F(ElfTest, RefusesALyingTableOfNames) {
  const std::size_t size = section(small_, 2, offsetof(Elf64_Shdr, sh_size));
  EXPECT_EQ(refusal(with<Elf64_Xword>(small_, size, Elf64_Xword{1} << 50)),
            "has a damaged table of names (section 2); copy or build it again");
  EXPECT_NE(refusal(with<Elf64_Word>(small_, section(small_, 2, offsetof(Elf64_Shdr, sh_type)),
                                     SHT_PROGBITS)),
            "no error");
  EXPECT_EQ(refusal(with<Elf64_Word>(small_, section(small_, 1, offsetof(Elf64_Shdr, sh_name)),
                                     ~Elf64_Word{0})),
            std::string("has no section .paribus; ") + kNotPlugin);
}

TEST_F(ElfTest, RefusesASectionAboveOneMegabyte) {
  EXPECT_EQ(error_of([] { read_section(fixture("too_large")); }),
            "has a section .paribus of 1048577 bytes, expected at most 1048576; offer fewer parts "
            "per file");
}

TEST_F(ElfTest, SurvivesAnyBytesChanged) {
  std::mt19937 random(7);
  for (const std::string& whole : {small_, read_bytes(fixture("good"))}) {
    for (int round = 0; round < 1500; ++round) {
      std::string bytes = whole;
      for (int change = 0; change < 4; ++change) {
        // A third each to the header, to the table of sections at the end, and anywhere.
        const std::size_t place = random() % 3;
        const std::size_t span = place == 0   ? sizeof(Elf64_Ehdr)
                                 : place == 1 ? 3 * sizeof(Elf64_Shdr)
                                              : bytes.size();
        const std::size_t offset = random() % span;
        bytes[place == 1 ? bytes.size() - 1 - offset : offset] = static_cast<char>(random());
      }
      const fs::path file = write_bytes(folder_ / "x.so", bytes);
      try {
        EXPECT_LE(read_section(file).text.size(), std::size_t{1} << 20);
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("; "), std::string::npos) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace paribus::registry

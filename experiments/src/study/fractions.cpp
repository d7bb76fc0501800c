// SPDX-License-Identifier: Apache-2.0
#include "study/fractions.h"

namespace paribus {

const std::vector<Fraction>& known_fractions() {
  static const std::vector<Fraction> kFractions{
      {3, 4, 3, {"AB"}},
      {4, 8, 4, {"ABC"}},
      {5, 8, 3, {"AB", "AC"}},
      {5, 16, 5, {"ABCD"}},
      {6, 8, 3, {"AB", "AC", "BC"}},
      {6, 16, 4, {"ABC", "BCD"}},
      {6, 32, 6, {"ABCDE"}},
      {7, 8, 3, {"AB", "AC", "BC", "ABC"}},
      {7, 16, 4, {"ABC", "BCD", "ACD"}},
      {7, 32, 4, {"ABCD", "ABDE"}},
      {7, 64, 7, {"ABCDEF"}},
      {8, 16, 4, {"BCD", "ACD", "ABC", "ABD"}},
      {8, 32, 4, {"ABC", "ABD", "BCDE"}},
      {8, 64, 5, {"ABCD", "ABEF"}},
      {8, 128, 8, {"ABCDEFG"}},
      {9, 16, 3, {"ABC", "BCD", "ACD", "ABD", "ABCD"}},
      {9, 32, 4, {"BCDE", "ACDE", "ABDE", "ABCE"}},
      {9, 64, 4, {"ABCD", "ACEF", "CDEF"}},
      {9, 128, 6, {"ACDFG", "BCEFG"}},
      {9, 256, 9, {"ABCDEFGH"}},
      {10, 16, 3, {"ABC", "BCD", "ACD", "ABD", "ABCD", "AB"}},
      {10, 32, 4, {"ABCD", "ABCE", "ABDE", "ACDE", "BCDE"}},
      {10, 64, 4, {"BCDF", "ACDF", "ABDE", "ABCE"}},
      {10, 128, 5, {"ABCG", "BCDE", "ACDF"}},
      {11, 16, 3, {"ABC", "BCD", "ACD", "ABD", "ABCD", "AB", "AC"}},
      {11, 32, 4, {"ABC", "BCD", "CDE", "ACD", "ADE", "BDE"}},
      {11, 64, 4, {"CDE", "ABCD", "ABF", "BDEF", "ADEF"}},
      {11, 128, 5, {"ABCG", "BCDE", "ACDF", "ABCDEFG"}},
      {12, 16, 3, {"ABC", "ABD", "ACD", "BCD", "ABCD", "AB", "AC", "AD"}},
      {12, 32, 4, {"ACE", "ACD", "ABD", "ABE", "CDE", "ABCDE", "ADE"}},
      {12, 64, 4, {"DEF", "ABC", "BCDE", "BCDF", "ABEF", "ACEF"}},
      {12, 128, 4, {"ACDF", "ABFG", "ABCDEG", "CEFG", "BDE"}},
      {12, 256, 6, {"ACEFG", "BCEGH", "ABCDG", "CDEFH"}},
      {13, 16, 3, {"ABC", "ABD", "ACD", "BCD", "ABCD", "AB", "AC", "AD", "BC"}},
      {13, 32, 4, {"ABC", "ABD", "ABE", "ACD", "ACE", "ADE", "BCD", "BCE"}},
      {14, 16, 3, {"ABC", "ABD", "ACD", "BCD", "ABCD", "AB", "AC", "AD", "BC", "BD"}},
      {14, 32, 4, {"ABC", "ABD", "ABE", "ACD", "ACE", "ADE", "BCD", "BCE", "BDE"}},
      {15, 16, 3, {"ABC", "ABD", "ACD", "BCD", "ABCD", "AB", "AC", "AD", "BC", "BD", "CD"}},
      {15, 32, 4, {"ABC", "ABD", "ABE", "ACD", "ACE", "ADE", "BCD", "BCE", "BDE", "CDE"}},
      {16, 32, 4, {"ABC", "ABD", "ABE", "ACD", "ACE", "ADE", "BCD", "BCE", "BDE", "CDE", "ABCDE"}},
  };
  return kFractions;
}

}  // namespace paribus

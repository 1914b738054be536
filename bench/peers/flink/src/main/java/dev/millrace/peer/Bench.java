package dev.millrace.peer;
public class Bench { public static void main(String[] a) {} }
